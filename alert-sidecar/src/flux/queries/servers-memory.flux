// How full the memory of each server was, minute by minute, in per cent.
import "date"
import "math"

from(bucket: v.defaultBucket)
    |> range(start: date.truncate(t: v.timeRangeStart, unit: 1m), stop: date.truncate(t: now(), unit: 1m))
    |> filter(fn: (r) => r._measurement == "mem" and r._field == "used_percent")
    |> aggregateWindow(every: 1m, fn: mean, createEmpty: false)
    |> map(
        fn: (r) =>
            ({r with
                journey: "memory",
                value: r._value,
                error: "the memory is ${string(v: int(v: math.round(x: r._value)))} % full",
            }),
    )
