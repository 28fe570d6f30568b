import "date"

from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 30d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "x509_cert" and (r._field == "enddate" or r._field == "verification_code"))
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> toInt()
  // A renewed certificate may be another series: the newest counts.
  |> group(columns: ["source", "host", "_field"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> map(fn: (r) => ({r with systems: if exists r.systems then r.systems else ""}))
  |> pivot(rowKey: ["_time", "source", "systems", "host"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.enddate and exists r.verification_code)
  |> map(fn: (r) => ({
      source: r.source,
      systems: r.systems,
      state: r.verification_code,
      // Seconds from the end of the time range.
      left_s: float(v: r.enddate - int(v: v.timeRangeStop) / 1000000000),
      ends: time(v: r.enddate * 1000000000),
      host: r.host,
      last_heard: r._time,
  }))
  |> sort(columns: ["ends"])
  |> limit(n: 200)
