last_of = (field) => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "probe" and r._field == field)
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group(columns: ["probe"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> toFloat()
  |> map(fn: (r) => ({probe: r.probe, name: field, figure: r._value}))
counted = (tables=<-, name) => tables
  |> count()
  |> group(columns: ["probe"])
  |> sum()
  |> map(fn: (r) => ({probe: r.probe, name: name, figure: float(v: r._value)}))

// Counted by the runs themselves: the probe's own counters begin again with each start. A function, not a table: what
// several read is not counted by the storage, and takes seconds where this takes a tenth of one.
runs = () => from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code")
  |> filter(fn: (r) => CHOSEN)
starts = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "probe" and r._field == "browser_starts")
  |> filter(fn: (r) => CHOSEN)
  |> group(columns: ["probe"])
  |> sort(columns: ["_time"])
  |> increase()
  |> last()
  |> map(fn: (r) => ({probe: r.probe, name: "browser_starts", figure: float(v: r._value)}))

figures = union(tables: [
    last_of(field: "journeys"),
    last_of(field: "running"),
    last_of(field: "queued"),
    last_of(field: "resident_bytes"),
    last_of(field: "browser_resident_bytes"),
    last_of(field: "unreadable_messages"),
    runs() |> filter(fn: (r) => r._value <= 3) |> counted(name: "runs"),
    runs() |> filter(fn: (r) => r._value == 3) |> counted(name: "unmeasured"),
    runs() |> filter(fn: (r) => r._value == 4) |> counted(name: "missed"),
    starts,
])
  |> group()
  |> pivot(rowKey: ["probe"], columnKey: ["name"], valueColumn: "figure")
  |> map(fn: (r) => ({r with order: 1}))
heard = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "probe" and r._field == "journeys")
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group(columns: ["probe"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> map(fn: (r) => ({probe: r.probe, order: 0, last_heard: r._time, host: if exists r.host then r.host else ""}))
  |> group()

union(tables: [heard, figures])
  |> group(columns: ["probe"])
  |> sort(columns: ["order"])
  |> fill(column: "last_heard", usePrevious: true)
  |> fill(column: "host", usePrevious: true)
  |> tail(n: 1)
  |> group()
  |> map(fn: (r) => ({r with
      unmeasured: if exists r.unmeasured then r.unmeasured else 0.0,
      missed: if exists r.missed then r.missed else 0.0,
  }))
  |> sort(columns: ["probe"])
  |> limit(n: 200)
  |> drop(columns: ["order"])
