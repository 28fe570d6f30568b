at = "${at}"
start = if at == "" then v.timeRangeStart else time(v: int(v: at) * 1000000)
stop = if at == "" then v.timeRangeStop else time(v: (int(v: at) + 1) * 1000000)

last_of = (measurement, field) => from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == measurement and r._field == field)
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group()

// The run's own picture: one of an earlier run is sorted before it, and is not it.
union(tables: [
    last_of(measurement: "journey", field: "result") |> map(fn: (r) => ({_time: r._time, order: 0, picture: ""})),
    last_of(measurement: "journey_screenshot", field: "image") |> map(fn: (r) => ({_time: r._time, order: 1, picture: r._value})),
])
  |> group()
  |> sort(columns: ["_time", "order"])
  |> tail(n: 1)
  |> filter(fn: (r) => r.picture != "")
  |> keep(columns: ["picture"])
