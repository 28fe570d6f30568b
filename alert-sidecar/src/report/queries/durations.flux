// How long the journeys took that got through.
runs = () =>
    from(bucket: v.defaultBucket)
        |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
        |> filter(fn: (r) => r._measurement == "journey" and r._field == "duration_ms")
        |> group(columns: ["system", "journey"])
runs() |> count() |> yield(name: "runs")
// Read once for both.
times = runs()
times |> quantile(q: 0.5, method: "estimate_tdigest") |> keep(columns: ["system", "journey", "_value"]) |> yield(name: "p50")
times |> quantile(q: 0.95, method: "estimate_tdigest") |> keep(columns: ["system", "journey", "_value"]) |> yield(name: "p95")
