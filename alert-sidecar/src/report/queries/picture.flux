// One of them.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(
        fn: (r) =>
            r._measurement == "journey_screenshot" and r._field == "image" and r.system == v.system and r.journey == v.journey
                and
                r.probe == v.probe,
    )
    |> keep(columns: ["_value"])
