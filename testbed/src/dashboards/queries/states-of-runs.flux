silence = int(v: ${silent_after})

states = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code")
  |> filter(fn: (r) => CHOSEN)
  |> group(columns: ["system", "journey", "probe", "_field"])
  |> sort(columns: ["_time"])
  |> keep(columns: ["system", "journey", "probe", "_field", "_time", "_value"])

// Without these rows Grafana would draw the last state on through a silence.
gaps = states
  |> elapsed(unit: 1ns)
  |> filter(fn: (r) => r.elapsed > silence)
  |> map(fn: (r) => ({r with _time: time(v: int(v: r._time) - r.elapsed + silence), _value: 5}))
  |> drop(columns: ["elapsed"])
ended = states
  |> last()
  |> filter(fn: (r) => int(v: r._time) + silence < int(v: v.timeRangeStop))
  |> map(fn: (r) => ({r with _time: time(v: int(v: r._time) + silence), _value: 5}))

// A state lasts until the next one, so its first run is enough; a click leads to that run.
union(tables: [states, gaps, ended])
  |> group(columns: ["system", "journey", "probe", "_field"])
  |> sort(columns: ["_time"])
  |> duplicate(column: "_value", as: "change")
  |> difference(columns: ["change"], keepFirst: true)
  |> filter(fn: (r) => not exists r.change or r.change != 0)
  |> drop(columns: ["change"])
  // Grafana takes no more than ten rows for each point that it would draw.
  |> tail(n: 4000)
