// Which journeys were walked between `v.timeRangeStart` and `v.timeRangeStop`, from which probes, and how much they mattered.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "result")
    |> last()
    |> keep(columns: ["system", "journey", "probe", "impact", "_time"])
