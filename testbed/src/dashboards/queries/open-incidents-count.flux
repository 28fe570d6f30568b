import "date"

from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 30d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_incident" and r._field == "state")
  // What the monitoring itself suffers hides every system, whichever are chosen.
  |> filter(fn: (r) => (CHOSEN) or r.system == "vigia")
  |> group()
  |> reduce(
      identity: {incidents: 0},
      fn: (r, accumulator) => ({incidents: accumulator.incidents + (if r._value == "open" then 1 else 0)}),
  )
  |> keep(columns: ["incidents"])
