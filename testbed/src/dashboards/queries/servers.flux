last_of = (measurement, field, name) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == measurement and r._field == field)
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> toFloat()
  |> group()
  |> map(fn: (r) => ({
      host: r.host,
      systems: if exists r.systems then r.systems else "",
      name: name,
      _time: r._time,
      figure: if r._field == "usage_idle" then 100.0 - r._value else r._value,
  }))
// Of several series of a host, such as one from before it got another system, the newest.
newest = (tables=<-) => tables
  |> group(columns: ["host", "name"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()

uptime = last_of(measurement: "system", field: "uptime", name: "uptime_s") |> newest()

figures = union(tables: [
    last_of(measurement: "cpu", field: "usage_idle", name: "cpu") |> newest(),
    last_of(measurement: "mem", field: "available_percent", name: "memory_left") |> newest(),
    last_of(measurement: "swap", field: "used_percent", name: "swap") |> newest(),
    last_of(measurement: "system", field: "load5", name: "load5") |> newest(),
    last_of(measurement: "system", field: "n_cpus", name: "processors") |> newest(),
    uptime,
    // The fullest of its disks.
    last_of(measurement: "disk", field: "used_percent", name: "disk")
      |> group(columns: ["host"])
      |> sort(columns: ["figure"])
      |> tail(n: 1)
      |> group(),
])
  |> pivot(rowKey: ["host"], columnKey: ["name"], valueColumn: "figure")

// The row of the figures is sorted behind the one that says whose they are and how old, and takes that along.
union(tables: [
    uptime |> map(fn: (r) => ({host: r.host, systems: r.systems, last_heard: r._time, order: 0})),
    figures |> map(fn: (r) => ({r with order: 1})),
])
  |> group(columns: ["host"])
  |> sort(columns: ["order"])
  |> fill(column: "systems", usePrevious: true)
  |> fill(column: "last_heard", usePrevious: true)
  |> tail(n: 1)
  |> group()
  |> drop(columns: ["order"])
  |> sort(columns: ["host"])
  |> limit(n: 500)
