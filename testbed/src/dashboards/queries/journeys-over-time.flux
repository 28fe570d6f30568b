window = int(v: v.windowPeriod)
silence = window + int(v: ${silent_after})

// In each window the worst of the runs that say something about the system; only where there is none, the others.
valid = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code" and r._value <= 2)
  |> filter(fn: (r) => CHOSEN)
  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false, timeSrc: "_start")
others = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code" and r._value > 2)
  |> filter(fn: (r) => CHOSEN)
  |> aggregateWindow(every: v.windowPeriod, fn: min, createEmpty: false, timeSrc: "_start")

states = union(tables: [valid, others])
  |> group(columns: ["system", "journey", "probe", "_field"])
  |> sort(columns: ["_time", "_value"])
  |> unique(column: "_time")
  |> keep(columns: ["system", "journey", "probe", "_field", "_time", "_value"])

// Without these rows Grafana would draw the last state on through a silence.
gaps = states
  |> elapsed(unit: 1ns)
  |> filter(fn: (r) => r.elapsed > silence)
  |> map(fn: (r) => ({r with _time: time(v: int(v: r._time) - r.elapsed + window), _value: 5}))
  |> drop(columns: ["elapsed"])
ended = states
  |> last()
  |> filter(fn: (r) => int(v: r._time) + silence < int(v: v.timeRangeStop))
  |> map(fn: (r) => ({r with _time: time(v: int(v: r._time) + window), _value: 5}))

// A state lasts until the next one, so its first row is enough.
union(tables: [states, gaps, ended])
  |> group(columns: ["system", "journey", "probe", "_field"])
  |> sort(columns: ["_time"])
  |> duplicate(column: "_value", as: "change")
  |> difference(columns: ["change"], keepFirst: true)
  |> filter(fn: (r) => not exists r.change or r.change != 0)
  |> drop(columns: ["change"])
