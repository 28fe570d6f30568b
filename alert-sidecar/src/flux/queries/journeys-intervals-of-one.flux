// How often one journey ran, in seconds, seen from one probe: a row for every run between `v.timeRangeStart` and
// `v.timeRangeStop`.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(
        fn: (r) =>
            r._measurement == "journey" and r._field == "every_s" and r.system == v.system and r.journey == v.journey and r.probe
                ==
                v.probe,
    )
    |> keep(columns: ["_time", "_value"])
