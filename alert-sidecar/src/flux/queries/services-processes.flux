// Whether each process that Telegraf's `procstat` looks for runs. Where the search itself fails nothing is said of it.
// One, where the whole range is one window; else who asks keeps the newest of each: so many small tables take long.
newest = if int(v: v.windowPeriod) == int(v: inf) then 1 else 1000000000

from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "procstat_lookup" and r._field == "running")
    |> window(every: v.windowPeriod)
    |> last()
    |> window(every: inf)
    |> map(
        fn: (r) =>
            ({r with
                journey:
                    if exists r.systemd_unit then
                        r.systemd_unit
                    else if exists r.exe then
                        r.exe
                    else if exists r.pattern then
                        r.pattern
                    else if exists r.pidfile then
                        r.pidfile
                    else if exists r.user then
                        r.user
                    else
                        "a process",
            }),
    )
    |> group(columns: ["host", "journey", "system", "impact"])
    |> sort(columns: ["_time"])
    |> tail(n: newest)
    |> map(
        fn: (r) =>
            ({r with
                result: if r.result != "success" then "unmeasured" else if r._value == 0 then "failed" else "ok",
                error: "no process `${r.journey}` runs",
            }),
    )
