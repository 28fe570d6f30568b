// How long every completed run of one journey between `v.timeRangeStart` and `v.timeRangeStop` took, seen from one probe while
// it mattered so much.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(
        fn: (r) =>
            r._measurement == "journey" and r._field == "duration_ms" and r.system == v.system and r.journey == v.journey
                and
                r.probe == v.probe and r.impact == v.impact,
    )
    |> keep(columns: ["_time", "_value"])
