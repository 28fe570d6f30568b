// The runs between `v.timeRangeStart` and `v.timeRangeStop` in which another selector had to stand in for the one that is
// meant: of most runs there is nothing to be read.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "drift")
    |> keep(columns: ["_time", "system", "journey", "probe"])
