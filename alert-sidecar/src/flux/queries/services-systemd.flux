// Whether systemd counts each unit as failed. The state is a tag of Telegraf's, so each state is a series of its own: the
// newest point counts. While a unit starts or stops nothing is said of it.
// One, where the whole range is one window; else who asks keeps the newest of each: so many small tables take long.
newest = if int(v: v.windowPeriod) == int(v: inf) then 1 else 1000000000

from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "systemd_units" and r._field == "active_code")
    |> window(every: v.windowPeriod)
    |> last()
    |> group(columns: ["host", "name", "system", "impact"])
    |> sort(columns: ["_time"])
    |> tail(n: newest)
    |> map(
        fn: (r) =>
            ({r with
                journey: r.name,
                result: if r._value == 3 then "failed" else if r._value <= 2 then "ok" else "unmeasured",
                error: "`${r.name}` is ${r.active} (${r.sub})",
            }),
    )
