import "date"

hour_ago = date.sub(d: 1h, from: v.timeRangeStop)

runs = (start, stop) => from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == "journey")
  |> filter(fn: (r) => CHOSEN)

// What it was when the hour began.
before = runs(start: date.sub(d: 1d, from: v.timeRangeStop), stop: hour_ago)
  |> filter(fn: (r) => r._field == "result_code")
  |> last()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
during = runs(start: hour_ago, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._field == "result_code" or r._field == "failed_step" or r._field == "error")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()

union(tables: [before, during])
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["_time"])
  |> duplicate(column: "result_code", as: "change")
  |> difference(columns: ["change"])
  |> filter(fn: (r) => r.change != 0 and r._time >= hour_ago)
  |> group()
  |> map(fn: (r) => ({
      at: r._time,
      impact: r.impact,
      system: r.system,
      journey: r.journey,
      probe: r.probe,
      was: r.result_code - r.change,
      state: r.result_code,
      failed_step: if exists r.failed_step then r.failed_step else "",
      error: if exists r.error then r.error else "",
  }))
  |> sort(columns: ["at"], desc: true)
  |> limit(n: 100)
