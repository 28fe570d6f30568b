import "date"

// Of 10 completed runs in the 7 days before the time range, one was slower.
usual = from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 7d, from: v.timeRangeStart), stop: v.timeRangeStart)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "duration_ms")
  |> filter(fn: (r) => CHOSEN)
  |> group(columns: ["_field"])
  |> quantile(q: 0.9, method: "estimate_tdigest")

union(tables: [
    usual |> map(fn: (r) => ({r with _time: v.timeRangeStart})),
    usual |> map(fn: (r) => ({r with _time: v.timeRangeStop})),
])
  |> group(columns: ["_field"])
  |> sort(columns: ["_time"])
