// How long the steps took that were completed.
steps = () =>
    from(bucket: v.defaultBucket)
        |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
        |> filter(fn: (r) => r._measurement == "journey_step" and r._field == "duration_ms")
        |> group(columns: ["system", "journey", "step"])
steps() |> count() |> yield(name: "runs")
// Read once for both.
times = steps()
times
    |> quantile(q: 0.5, method: "estimate_tdigest")
    |> keep(columns: ["system", "journey", "step", "_value"])
    |> yield(name: "p50")
times
    |> quantile(q: 0.95, method: "estimate_tdigest")
    |> keep(columns: ["system", "journey", "step", "_value"])
    |> yield(name: "p95")
