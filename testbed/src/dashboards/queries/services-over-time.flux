// In each interval the worst answer: 0 is well.
worst = (measurement) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == measurement and r._field == "result_code")
  |> filter(fn: (r) => CHOSEN)
  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false, timeSrc: "_start")
  |> toInt()
named = (tables=<-, fn) => tables
  |> map(fn: (r) => ({
      _time: r._time,
      _field: "state",
      kind: r._measurement,
      service: fn(r: r),
      _value: if r._value == 0 then 0 else 1,
  }))

union(tables: [
    worst(measurement: "http_response") |> named(fn: (r) => r.server),
    worst(measurement: "net_response") |> named(fn: (r) => r.server + ":" + r.port),
    worst(measurement: "dns_query") |> named(fn: (r) => r.domain + " (" + r.server + ")"),
    worst(measurement: "ping") |> named(fn: (r) => r.url),
])
  |> group(columns: ["kind", "service", "_field"])
  // Where several machines ask, the worse answer.
  |> sort(columns: ["_value"], desc: true)
  |> unique(column: "_time")
  |> sort(columns: ["_time"])
