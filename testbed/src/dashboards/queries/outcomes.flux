counted = (code, name) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code" and r._value == code)
  |> filter(fn: (r) => CHOSEN)
  |> count()
  |> group()
  |> sum()
  |> map(fn: (r) => ({name: name, runs: r._value}))

union(tables: [
    counted(code: 0, name: "ok"),
    counted(code: 1, name: "slow"),
    counted(code: 2, name: "failed"),
    counted(code: 3, name: "unmeasured"),
    counted(code: 4, name: "missed"),
])
  |> group()
  |> reduce(
      identity: {ok: 0, slow: 0, failed: 0, unmeasured: 0, missed: 0},
      fn: (r, accumulator) => ({
          ok: accumulator.ok + (if r.name == "ok" then r.runs else 0),
          slow: accumulator.slow + (if r.name == "slow" then r.runs else 0),
          failed: accumulator.failed + (if r.name == "failed" then r.runs else 0),
          unmeasured: accumulator.unmeasured + (if r.name == "unmeasured" then r.runs else 0),
          missed: accumulator.missed + (if r.name == "missed" then r.runs else 0),
      }),
  )
