// One row for every completed run between `v.timeRangeStart` and `v.timeRangeStop`, held against the same hour of the week
// in the last four weeks. Median and median absolute deviation, because one bad day must not become what is usual: slow is
// what exceeds the median by five deviations (1.4826 makes one comparable to a standard deviation), by half and by 250 ms.
import "date"
import "math"

series = ["system", "journey", "probe", "impact"]
durations = (start, stop) => from(bucket: v.defaultBucket)
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => r._measurement == "journey" and r._field == "duration_ms")
    |> keep(columns: ["_time", "_value", "system", "journey", "probe", "impact"])
    |> group(columns: series)
week = (ago) => durations(
    start: date.sub(d: 30m, from: date.sub(d: ago, from: now())),
    stop: date.add(d: 30m, to: date.sub(d: ago, from: now())),
)
past = union(tables: [week(ago: 7d), week(ago: 14d), week(ago: 21d), week(ago: 28d)])
    |> group(columns: series)
// Fewer runs than these say nothing about what is usual.
enough = past
    |> count()
    |> filter(fn: (r) => r._value >= 20)
    |> rename(columns: {_value: "runs"})
    |> group()
middle = past
    |> median()
    |> rename(columns: {_value: "usual"})
    |> group()
known = join(tables: {enough: enough, middle: middle}, on: series)
deviation = join(tables: {past: past |> group(), known: known}, on: series)
    |> map(
        fn: (r) =>
            ({
                system: r.system,
                journey: r.journey,
                probe: r.probe,
                impact: r.impact,
                usual: r.usual,
                _value: math.abs(x: r._value - r.usual),
            }),
    )
    |> group(columns: ["system", "journey", "probe", "impact", "usual"])
    |> median()
    |> map(
        fn: (r) =>
            ({
                system: r.system,
                journey: r.journey,
                probe: r.probe,
                impact: r.impact,
                usual: r.usual,
                most: r.usual + math.mMax(x: 5.0 * 1.4826 * r._value, y: math.mMax(x: r.usual / 2.0, y: 250.0)),
            }),
    )
    |> group()
join(tables: {run: durations(start: v.timeRangeStart, stop: v.timeRangeStop) |> group(), past: deviation}, on: series)
    |> map(
        fn: (r) =>
            ({
                _time: r._time,
                system: r.system,
                journey: r.journey,
                probe: r.probe,
                impact: r.impact,
                result: if r._value > r.most then "slow" else "ok",
                error: "it took ${string(v: math.round(x: r._value))} ms; at this hour of the week it usually takes ${string(v: math.round(x: r.usual))} ms",
            }),
    )
