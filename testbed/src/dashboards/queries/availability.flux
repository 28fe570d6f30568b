target = ${target} / 100.0

total = (field) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == field)
  |> filter(fn: (r) => CHOSEN)
  |> sum()
  |> group()
  |> sum()
  |> set(key: "name", value: field)

// Whole numbers, so that the share is cut off and never rounded up to the target.
union(tables: [total(field: "ok"), total(field: "valid")])
  |> group()
  |> reduce(
      identity: {ok: 0, valid: 0},
      fn: (r, accumulator) => ({
          ok: accumulator.ok + (if r.name == "ok" then r._value else 0),
          valid: accumulator.valid + (if r.name == "valid" then r._value else 0),
      }),
  )
  |> filter(fn: (r) => r.valid > 0)
  |> map(fn: (r) => ({
      availability: float(v: r.ok * 100000 / r.valid) / 100000.0,
      target: target,
      left: 1.0 - float(v: r.valid - r.ok) / (float(v: r.valid) * (1.0 - target)),
  }))
