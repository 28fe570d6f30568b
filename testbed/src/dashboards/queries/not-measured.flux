from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey")
  // The codes of unmeasured and of missed runs; a text is never compared with them.
  |> filter(fn: (r) => r._field == "error" or (r._field == "result_code" and r._value > 2))
  |> filter(fn: (r) => CHOSEN)
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => exists r.result_code)
  |> group(columns: ["system", "journey", "probe", "result_code"])
  |> sort(columns: ["_time"])
  |> reduce(
      identity: {runs: 0, last: time(v: 0), error: ""},
      fn: (r, accumulator) => ({
          runs: accumulator.runs + 1,
          last: r._time,
          error: if exists r.error then r.error else "",
      }),
  )
  |> group()
  |> rename(columns: {result_code: "state"})
  |> sort(columns: ["runs"], desc: true)
  |> limit(n: 100)
