runs = (field) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == field)
  |> filter(fn: (r) => CHOSEN)

total = (field) => runs(field: field)
  |> sum()
  |> group(columns: ["probe"])
  |> sum()
  |> map(fn: (r) => ({probe: r.probe, name: field, figure: float(v: r._value)}))
quantiled = (name, q) => runs(field: "duration_ms")
  |> group(columns: ["probe"])
  |> quantile(q: q, method: "estimate_tdigest")
  |> map(fn: (r) => ({probe: r.probe, name: name, figure: r._value}))

union(tables: [
    total(field: "ok"),
    total(field: "valid"),
    quantiled(name: "p50_ms", q: 0.5),
    quantiled(name: "p95_ms", q: 0.95),
])
  |> group()
  |> pivot(rowKey: ["probe"], columnKey: ["name"], valueColumn: "figure")
  |> filter(fn: (r) => r.valid > 0.0)
  |> map(fn: (r) => ({r with availability: float(v: int(v: r.ok) * 10000 / int(v: r.valid)) / 10000.0}))
  |> rename(columns: {valid: "runs"})
  |> drop(columns: ["ok"])
  |> sort(columns: ["probe"])
