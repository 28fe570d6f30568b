deliveries = (field) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "alert_delivery" and r._field == field)
counted = (field, name) => deliveries(field: field)
  |> sum()
  |> group(columns: ["channel"])
  |> sum()
  |> map(fn: (r) => ({channel: r.channel, name: name, figure: float(v: r._value)}))
quantiled = (name, q) => deliveries(field: "latency_ms")
  |> group(columns: ["channel"])
  |> quantile(q: q, method: "estimate_tdigest")
  |> map(fn: (r) => ({channel: r.channel, name: name, figure: r._value}))

union(tables: [
    counted(field: "accepted", name: "accepted"),
    counted(field: "refused", name: "refused"),
    counted(field: "attempts", name: "attempts"),
    quantiled(name: "p50_ms", q: 0.5),
    quantiled(name: "p95_ms", q: 0.95),
])
  |> group()
  |> pivot(rowKey: ["channel"], columnKey: ["name"], valueColumn: "figure")
  |> sort(columns: ["channel"])
