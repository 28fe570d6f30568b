// How full each file system is, in per cent.
import "math"

from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "disk" and r._field == "used_percent")
    |> window(every: v.windowPeriod)
    |> last()
    |> window(every: inf)
    |> map(
        fn: (r) =>
            ({r with
                journey: r.path,
                value: r._value,
                error: "`${r.path}` is ${string(v: int(v: math.round(x: r._value)))} % full",
            }),
    )
