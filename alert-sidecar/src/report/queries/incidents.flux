// The incidents that people were to be told of, as far as they are about journeys.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey_incident")
    |> filter(
        fn: (r) =>
            r._field == "incident_id" or r._field == "error_class" or r._field == "acknowledged_by" or r._field
                ==
                "acknowledged_ns",
    )
    |> drop(columns: ["_start", "_stop", "host"])
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
