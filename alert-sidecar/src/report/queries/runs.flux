// What the runs of one journey came to, seen from one probe. All of them, and nothing else of them: sending them takes less
// time than finding out which of them can be left out.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(
        fn: (r) =>
            r._measurement == "journey" and r._field == "result_code" and r.system == v.system and r.journey == v.journey
                and
                r.probe == v.probe,
    )
    |> keep(columns: ["_time", "_value"])
