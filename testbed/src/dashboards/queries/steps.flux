import "date"

steps = (start, stop, field) => from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == "journey_step" and r._field == field)
  |> filter(fn: (r) => CHOSEN)
now = (field) => steps(start: v.timeRangeStart, stop: v.timeRangeStop, field: field)

// A row for each step and figure; they become columns below.
figure = (tables=<-, name) => tables
  |> map(fn: (r) => ({journey: r.journey, step: r.step, name: name, figure: float(v: r._value)}))
counted = (tables=<-, name) => tables
  |> count()
  |> group(columns: ["journey", "step"])
  |> sum()
  |> figure(name: name)
quantiled = (tables=<-, name, q) => tables
  |> group(columns: ["journey", "step"])
  |> quantile(q: q, method: "estimate_tdigest")
  |> figure(name: name)
newest = (tables=<-, name) => tables
  |> last()
  |> group(columns: ["journey", "step"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> figure(name: name)

union(tables: [
    now(field: "index") |> newest(name: "index"),
    now(field: "result_code") |> counted(name: "runs"),
    now(field: "result_code") |> filter(fn: (r) => r._value == 1) |> counted(name: "slow"),
    now(field: "result_code") |> filter(fn: (r) => r._value == 2) |> counted(name: "failed"),
    now(field: "duration_ms") |> quantiled(name: "p50_ms", q: 0.5),
    now(field: "duration_ms") |> quantiled(name: "p95_ms", q: 0.95),
    now(field: "budget_ms") |> newest(name: "budget_ms"),
    steps(start: date.sub(d: 7d, from: v.timeRangeStart), stop: v.timeRangeStart, field: "duration_ms")
      |> quantiled(name: "usual_ms", q: 0.5),
])
  |> group()
  |> pivot(rowKey: ["journey", "step"], columnKey: ["name"], valueColumn: "figure")
  // What was not seen in the time range has no index.
  |> filter(fn: (r) => exists r.index)
  |> map(fn: (r) => ({r with
      slow: if exists r.slow then r.slow else 0.0,
      failed: if exists r.failed then r.failed else 0.0,
      change: if exists r.p50_ms and exists r.usual_ms and r.usual_ms > 0.0 then r.p50_ms / r.usual_ms - 1.0 else 0.0,
  }))
  |> sort(columns: ["journey", "index"])
  |> limit(n: 500)
  |> drop(columns: ["index"])
