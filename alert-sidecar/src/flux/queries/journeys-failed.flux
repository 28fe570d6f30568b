// One row for every run of a journey between `v.timeRangeStart` and `v.timeRangeStop`: what became of it, and why.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey")
    |> filter(
        fn: (r) =>
            contains(
                value: r._field,
                set: ["result", "failed_step", "error_class", "error", "url", "http_status", "run_id", "artifact", "every_s"],
            ),
    )
    |> drop(columns: ["_start", "_stop", "host"])
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
