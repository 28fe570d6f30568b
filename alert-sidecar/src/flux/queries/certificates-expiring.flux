// How many days each certificate that Telegraf's `x509_cert` looks at is still valid. A certificate that was renewed is
// another series: the newest point counts.
// One, where the whole range is one window; else who asks keeps the newest of each: so many small tables take long.
newest = if int(v: v.windowPeriod) == int(v: inf) then 1 else 1000000000

from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "x509_cert" and r._field == "expiry")
    |> window(every: v.windowPeriod)
    |> last()
    |> group(columns: ["host", "source", "common_name", "system", "impact"])
    |> sort(columns: ["_time"])
    |> tail(n: newest)
    |> map(
        fn: (r) => {
            name = if exists r.common_name then r.common_name else r.source
            days = float(v: r._value) / 86400.0

            return {r with
                journey: name,
                value: days,
                url: r.source,
                error: "`${name}` is valid for ${string(v: int(v: days))} more days",
            }
        },
    )
