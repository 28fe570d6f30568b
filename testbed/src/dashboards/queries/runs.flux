from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and (r._field == "result_code" or r._field == "failed_step" or r._field == "error" or r._field == "duration_ms"))
  |> filter(fn: (r) => CHOSEN)
  |> tail(n: 100)
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  // The newest 100 completed runs reach further back than the newest 100 runs do.
  |> filter(fn: (r) => exists r.result_code)
  |> map(fn: (r) => ({
      at: r._time,
      system: r.system,
      journey: r.journey,
      probe: r.probe,
      state: r.result_code,
      duration_ms: r.duration_ms,
      failed_step: if exists r.failed_step then r.failed_step else "",
      error: if exists r.error then r.error else "",
  }))
  |> sort(columns: ["at"], desc: true)
  |> limit(n: 100)
