// Which journeys were walked, from which probes, and how much they mattered.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code")
    |> group(columns: ["system", "journey", "probe", "impact"])
    |> last()
    |> keep(columns: ["system", "journey", "probe", "impact", "_time"])
