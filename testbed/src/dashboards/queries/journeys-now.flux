import "date"

silent_since = date.sub(d: ${silent_after}, from: v.timeRangeStop)
known_since = date.sub(d: 30d, from: v.timeRangeStop)

// The last run of every journey that was seen in the last 30 days.
last_runs = from(bucket: v.defaultBucket)
  |> range(start: known_since, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and (r._field == "result" or r._field == "failed_step" or r._field == "error"))
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group()
  |> pivot(rowKey: ["_time", "system", "journey", "probe", "impact"], columnKey: ["_field"], valueColumn: "_value")
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> map(fn: (r) => {
      state = if r._time < silent_since then "no data" else r.result
      bad = state != "ok"

      return {
          rank: (if bad then 0 else 100)
            + (if r.impact == "critical" then 0 else if r.impact == "high" then 10 else 20)
            + (if state == "failed" then 0 else if state == "slow" then 1 else 2),
          impact: r.impact,
          system: r.system,
          journey: r.journey,
          probe: r.probe,
          state: state,
          last_run: r._time,
          failed_step: if bad and exists r.failed_step then r.failed_step else "",
          error: if bad and exists r.error then r.error else "",
      }
  })

runs = (field) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == field)
  |> filter(fn: (r) => CHOSEN)

// When the result turned into what it is now. It looks back one day, so that a long time range stays cheap.
since = from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 1d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code")
  |> filter(fn: (r) => CHOSEN)
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["_time"])
  |> difference(keepFirst: true)
  |> filter(fn: (r) => if exists r._value then r._value != 0 else r._time > date.sub(d: 23h, from: v.timeRangeStop))
  |> last(column: "_time")
  |> keep(columns: ["system", "journey", "probe", "_time"])
  |> rename(columns: {_time: "since"})
  |> group()

total = (field) => runs(field: field)
  |> sum()
  |> group(columns: ["system", "journey", "probe"])
  |> sum()

// Whole numbers, so that the share is cut off and never rounded up to 100 %.
availability = union(tables: [total(field: "ok") |> set(key: "_field", value: "ok"), total(field: "valid") |> set(key: "_field", value: "valid")])
  |> group()
  |> pivot(rowKey: ["system", "journey", "probe"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r.valid > 0)
  |> map(fn: (r) => ({r with availability: float(v: r.ok * 10000 / r.valid) / 10000.0}))
  |> drop(columns: ["ok", "valid"])

durations = runs(field: "duration_ms")
  |> group(columns: ["system", "journey", "probe"])
  |> quantile(q: 0.95, method: "estimate_tdigest")
  |> rename(columns: {_value: "p95_ms"})
  |> group()

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

// One row for each journey: its last run is sorted to the end and takes along what the other rows know.
union(tables: [last_runs, since, availability, durations, pictures])
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["last_run"])
  |> fill(column: "since", usePrevious: true)
  |> fill(column: "availability", usePrevious: true)
  |> fill(column: "p95_ms", usePrevious: true)
  |> fill(column: "picture", usePrevious: true)
  |> tail(n: 1)
  |> group()
  |> map(fn: (r) => ({r with
      since: if r.state == "no data" then r.last_run else r.since,
      picture: if r.state == "failed" and exists r.picture then r.picture else "",
  }))
  |> sort(columns: ["rank", "system", "journey", "probe"])
  |> limit(n: 500)
  |> drop(columns: ["_start", "_stop", "rank"])
