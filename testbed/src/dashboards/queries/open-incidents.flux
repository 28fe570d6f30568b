import "date"

known_since = date.sub(d: 30d, from: v.timeRangeStop)

incidents = from(bucket: v.defaultBucket)
  |> range(start: known_since, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_incident")
  // What the monitoring itself suffers hides every system, whichever are chosen.
  |> filter(fn: (r) => (CHOSEN) or r.system == "vigia")
  |> filter(fn: (r) => r._field == "state" or r._field == "failed_step" or r._field == "error_class" or r._field == "error" or r._field == "artifact")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => r.state == "open")
  |> map(fn: (r) => ({
      rank: if r.impact == "critical" then 0 else if r.impact == "high" then 1 else 2,
      began: r._time,
      impact: r.impact,
      system: r.system,
      journey: r.journey,
      probe: r.probe,
      failed_step: if exists r.failed_step then r.failed_step else "",
      error_class: if exists r.error_class then r.error_class else "",
      error: if exists r.error then r.error else "",
      artifact: if exists r.artifact then r.artifact else "",
  }))

pictures = from(bucket: v.defaultBucket)
  |> range(start: known_since, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_screenshot" and r._field == "image")
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> keep(columns: ["system", "journey", "probe", "_value"])
  |> rename(columns: {_value: "picture"})
  |> group()

// The incident is sorted behind its journey's picture, and takes it along.
union(tables: [incidents, pictures])
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["began"])
  |> fill(column: "picture", usePrevious: true)
  |> group()
  |> filter(fn: (r) => exists r.began)
  |> map(fn: (r) => ({r with picture: if exists r.picture then r.picture else ""}))
  |> sort(columns: ["rank", "began"])
  |> limit(n: 100)
  |> drop(columns: ["rank"])
