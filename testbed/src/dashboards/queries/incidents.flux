import "date"

from(bucket: v.defaultBucket)
  // A point lies at its incident's start: one that reaches into the time range may have begun long before it.
  |> range(start: date.sub(d: 30d, from: v.timeRangeStart), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_incident")
  |> filter(fn: (r) => CHOSEN)
  |> filter(fn: (r) => r._field == "state" or r._field == "duration_s" or r._field == "failed_step" or r._field == "error" or r._field == "artifact")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> map(fn: (r) => ({
      began: r._time,
      state: r.state,
      duration_s: if r.state == "open" then float(v: int(v: v.timeRangeStop) - int(v: r._time)) / 1000000000.0 else r.duration_s,
      impact: r.impact,
      system: r.system,
      journey: r.journey,
      probe: if exists r.probe then r.probe else "",
      failed_step: if exists r.failed_step then r.failed_step else "",
      error: if exists r.error then r.error else "",
      artifact: if exists r.artifact then r.artifact else "",
  }))
  |> filter(fn: (r) => int(v: r.began) + int(v: r.duration_s * 1000000000.0) >= int(v: v.timeRangeStart))
  |> sort(columns: ["began"], desc: true)
  |> limit(n: 100)
