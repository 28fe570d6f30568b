import "date"

from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 30d, from: v.timeRangeStart), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_incident")
  |> filter(fn: (r) => CHOSEN)
  |> filter(fn: (r) => r._field == "state" or r._field == "duration_s" or r._field == "failed_step" or r._field == "error")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> map(fn: (r) => ({
      time: r._time,
      timeEnd: if r.state == "open" then v.timeRangeStop else time(v: int(v: r._time) + int(v: r.duration_s * 1000000000.0)),
      title: r.system + " / " + r.journey,
      text: (if exists r.failed_step then r.failed_step + ": " else "") + (if exists r.error then r.error else ""),
      tags: r.impact + "," + r.state,
  }))
  |> filter(fn: (r) => r.timeEnd >= v.timeRangeStart)
  |> sort(columns: ["time"], desc: true)
  |> limit(n: 100)
