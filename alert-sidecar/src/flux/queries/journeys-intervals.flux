// How often every journey runs, in seconds, by its last point between `v.timeRangeStart` and `v.timeRangeStop`.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "every_s")
    |> last()
    |> keep(columns: ["_time", "_value", "system", "journey", "probe", "impact"])
