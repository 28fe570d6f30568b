// Per second, from counters that start again when the machine does.
rate = (field) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "net" and r._field == field)
  |> filter(fn: (r) => CHOSEN)
  |> toFloat()
  |> derivative(unit: 1s, nonNegative: true)
  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false, timeSrc: "_start")

union(tables: [rate(field: "bytes_recv"), rate(field: "bytes_sent")])
  |> group(columns: ["host", "interface", "_field"])
  |> keep(columns: ["host", "interface", "_field", "_time", "_value"])
  |> sort(columns: ["_time"])
