// How often every journey ran, in seconds, between `v.timeRangeStart` and `v.timeRangeStop`: its shortest interval and its
// longest, which are nearly always the same.
intervals = from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "every_s")
intervals
    |> min()
    |> keep(columns: ["_value", "system", "journey", "probe"])
    |> yield(name: "shortest")
intervals
    |> max()
    |> keep(columns: ["_value", "system", "journey", "probe"])
    |> yield(name: "longest")
