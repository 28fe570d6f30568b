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
  // The worst of a system's journeys is the system's state; what is not known never counts as working.
  |> map(fn: (r) => ({
      system: r.system,
      worst: if r._time < silent_since then 1
        else if r._value == 2 then 4
        else if r._value == 1 then 3
        else if r._value == 0 then 0
        else 2,
  }))
  |> group(columns: ["system"])
  |> max(column: "worst")
  |> group()
  |> reduce(
      identity: {working: 0, slow: 0, failing: 0, unmeasured: 0, silent: 0},
      fn: (r, accumulator) => ({
          working: accumulator.working + (if r.worst == 0 then 1 else 0),
          slow: accumulator.slow + (if r.worst == 3 then 1 else 0),
          failing: accumulator.failing + (if r.worst == 4 then 1 else 0),
          unmeasured: accumulator.unmeasured + (if r.worst == 2 then 1 else 0),
          silent: accumulator.silent + (if r.worst == 1 then 1 else 0),
      }),
  )
