import "date"

from(bucket: v.defaultBucket)
  // A point lies at its incident's start: one that reaches into the time range may have begun long before it.
  |> range(start: date.sub(d: 30d, from: v.timeRangeStart), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_incident" and r.probe == "vigia-alert")
  |> filter(fn: (r) => r._field == "state" or r._field == "duration_s" or r._field == "error")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> map(fn: (r) => ({
      began: r._time,
      state: r.state,
      duration_s: if r.state == "open" then float(v: int(v: v.timeRangeStop) - int(v: r._time)) / 1000000000.0 else r.duration_s,
      subject: r.journey,
      error: if exists r.error then r.error else "",
  }))
  |> filter(fn: (r) => int(v: r.began) + int(v: r.duration_s * 1000000000.0) >= int(v: v.timeRangeStart))
  |> sort(columns: ["began"], desc: true)
  |> limit(n: 100)
