// Next to nothing: whether the bucket can be read at all.
from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> limit(n: 1)
    |> keep(columns: ["_time"])
