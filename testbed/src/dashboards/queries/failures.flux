from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey")
  |> filter(fn: (r) => r._field == "failed_step" or r._field == "error_class" or r._field == "error")
  |> filter(fn: (r) => CHOSEN)
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  // Only what failed has a failed step; what could not be measured is no failure of the system.
  |> filter(fn: (r) => exists r.failed_step)
  |> group(columns: ["system", "journey", "failed_step", "error_class"])
  |> sort(columns: ["_time"])
  |> reduce(
      identity: {runs: 0, last: time(v: 0), probe: "", error: ""},
      fn: (r, accumulator) => ({
          runs: accumulator.runs + 1,
          last: r._time,
          probe: r.probe,
          error: if exists r.error then r.error else "",
      }),
  )
  |> group()
  |> sort(columns: ["runs"], desc: true)
  |> limit(n: 100)
