// When journeys that failed left a picture.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey_screenshot" and r._field == "failed_step")
    |> keep(columns: ["system", "journey", "probe", "_time"])
