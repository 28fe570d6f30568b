// What every run of a journey between `v.timeRangeStart` and `v.timeRangeStop` came to, and nothing else.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "result")
    |> keep(columns: ["_time", "_value", "system", "journey", "probe", "impact"])
