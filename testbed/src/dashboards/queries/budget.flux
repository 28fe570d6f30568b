last_of = (field) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_step" and r._field == field)
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group(columns: ["step"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()

// The sum of the steps' budgets, where every step has one: a journey with an open end has no budget. (A map of
// constants alone loses its rows, so the step stays in it.)
budget = union(tables: [
    last_of(field: "index") |> map(fn: (r) => ({step: r.step, without: 1, ms: 0.0})),
    last_of(field: "budget_ms") |> map(fn: (r) => ({step: r.step, without: -1, ms: r._value})),
])
  |> group()
  |> reduce(
      identity: {without: 0, ms: 0.0},
      fn: (r, accumulator) => ({without: accumulator.without + r.without, ms: accumulator.ms + r.ms}),
  )
  |> filter(fn: (r) => r.without == 0)

union(tables: [
    budget |> map(fn: (r) => ({_time: v.timeRangeStart, _field: "budget_ms", _value: r.ms})),
    budget |> map(fn: (r) => ({_time: v.timeRangeStop, _field: "budget_ms", _value: r.ms})),
])
  |> group(columns: ["_field"])
  |> sort(columns: ["_time"])
