// What every run of one journey between `v.timeRangeStart` and `v.timeRangeStop` came to, seen from one probe while it mattered so
// much, and nothing else: names in every row would be most of the answer.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(
        fn: (r) =>
            r._measurement == "journey" and r._field == "result" and r.system == v.system and r.journey == v.journey and r.probe
                ==
                v.probe and r.impact == v.impact,
    )
    |> keep(columns: ["_time", "_value"])
