// How busy the processors of each server were, minute by minute, in per cent.
import "date"
import "math"

from(bucket: v.defaultBucket)
    |> range(start: date.truncate(t: v.timeRangeStart, unit: 1m), stop: date.truncate(t: now(), unit: 1m))
    |> filter(fn: (r) => r._measurement == "cpu" and r._field == "usage_idle" and r.cpu == "cpu-total")
    |> aggregateWindow(every: 1m, fn: mean, createEmpty: false)
    |> map(
        fn: (r) =>
            ({r with
                journey: "cpu",
                value: 100.0 - r._value,
                error: "the processors are ${string(v: int(v: math.round(x: 100.0 - r._value)))} % busy",
            }),
    )
