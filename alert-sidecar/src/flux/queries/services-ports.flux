// Whether each port that Telegraf's `net_response` connects to answers. The result is a tag of Telegraf's, so each result is
// a series of its own: the newest point counts.
// One, where the whole range is one window; else who asks keeps the newest of each: so many small tables take long.
newest = if int(v: v.windowPeriod) == int(v: inf) then 1 else 1000000000

from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "net_response" and r._field == "result_code")
    |> window(every: v.windowPeriod)
    |> last()
    |> group(columns: ["host", "server", "port", "protocol", "system", "impact"])
    |> sort(columns: ["_time"])
    |> tail(n: newest)
    |> map(
        fn: (r) =>
            ({r with
                journey: "${r.server}:${r.port}/${r.protocol}",
                error: "`${r.server}:${r.port}`: ${r.result}",
                result: if int(v: r._value) == 0 then "ok" else "failed",
            }),
    )
