// One row for every run of a journey between `v.timeRangeStart` and `v.timeRangeStop` that got through: whether another
// selector had to stand in for the one that is meant.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey")
    // One by one, so that the storage leaves the other fields out: of a set it would read them all.
    |> filter(
        fn: (r) =>
            r._field == "result" or
            r._field == "drift" or
            r._field == "url" or
            r._field == "run_id" or
            r._field == "artifact" or
            r._field == "every_s",
    )
    |> drop(columns: ["_start", "_stop", "host"])
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> filter(fn: (r) => r.result == "ok" or r.result == "slow")
    |> map(fn: (r) => ({r with result: if exists r.drift then "failed" else "ok", error: r.drift}))
