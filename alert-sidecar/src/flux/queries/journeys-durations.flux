// How long every completed run between `v.timeRangeStart` and `v.timeRangeStop` took.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "duration_ms")
    |> keep(columns: ["_time", "_value", "system", "journey", "probe", "impact"])
