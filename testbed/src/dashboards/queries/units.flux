// A unit's active_code 3 is "failed"; a program that does not run has a pid_count of 0.
units = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "systemd_units" and r._field == "active_code")
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> toInt()
  // Each state is a series of its own: the newest counts.
  |> group(columns: ["host", "name"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> filter(fn: (r) => r._value == 3)
  |> map(fn: (r) => ({host: r.host, kind: "unit", name: r.name, last_heard: r._time}))
// Where the search itself fails nothing is said of a program.
programs = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "procstat_lookup" and r._field == "pid_count" and r.result == "success")
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> toInt()
  |> map(fn: (r) => ({
      _time: r._time,
      _value: r._value,
      host: r.host,
      name: if exists r.systemd_unit then r.systemd_unit
        else if exists r.exe then r.exe
        else if exists r.pattern then r.pattern
        else if exists r.pidfile then r.pidfile
        else if exists r.user then r.user
        else "?",
  }))
  |> group(columns: ["host", "name"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> filter(fn: (r) => r._value == 0)
  |> map(fn: (r) => ({host: r.host, kind: "program", name: r.name, last_heard: r._time}))

union(tables: [units, programs])
  |> group()
  |> sort(columns: ["host", "kind", "name"])
  |> limit(n: 200)
