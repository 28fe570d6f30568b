// What every run between `v.timeRangeStart` and `v.timeRangeStop` came to, and nothing else of it.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "result")
    |> keep(columns: ["_time", "_value", "system", "journey", "probe", "impact"])
