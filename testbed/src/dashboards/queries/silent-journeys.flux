import "date"

silent_since = date.sub(d: ${silent_after}, from: v.timeRangeStop)

from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 30d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code")
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> filter(fn: (r) => r._time < silent_since)
  |> map(fn: (r) => ({impact: r.impact, system: r.system, journey: r.journey, probe: r.probe, last_run: r._time}))
  |> sort(columns: ["last_run"], desc: true)
  |> limit(n: 200)
