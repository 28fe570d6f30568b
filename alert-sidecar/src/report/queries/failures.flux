// Why runs failed: these fields are there only where one did.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(
        fn: (r) =>
            r._measurement == "journey" and (r._field == "failed_step" or r._field == "error_class" or r._field == "error"),
    )
    |> keep(columns: ["system", "journey", "probe", "_time", "_field", "_value"])
