// How often one journey ran, run by run.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(
        fn: (r) =>
            r._measurement == "journey" and r._field == "every_s" and r.system == v.system and r.journey == v.journey and r.probe
                ==
                v.probe,
    )
    |> keep(columns: ["_time", "_value"])
