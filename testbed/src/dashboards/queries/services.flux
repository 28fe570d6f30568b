import "date"

silent_since = date.sub(d: ${silent_after}, from: v.timeRangeStop)

asked = (measurement) => from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 30d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == measurement)
  |> filter(fn: (r) => CHOSEN)
last_of = (measurement, field) => asked(measurement: measurement)
  |> filter(fn: (r) => r._field == field)
  |> last()
  |> toFloat()
  |> group()
named = (tables=<-, fn) => tables
  |> map(fn: (r) => ({
      service: fn(r: r),
      kind: r._measurement,
      systems: if exists r.systems then r.systems else "",
      host: r.host,
      last_heard: r._time,
      name: if r._field == "result_code" then "code" else "took",
      // Telegraf measures some in seconds.
      figure: if r._field == "response_time" then r._value * 1000.0 else r._value,
  }))

address = (r) => r.server
port = (r) => r.server + ":" + r.port
name = (r) => r.domain + " " + r.record_type + " (" + r.server + ")"
machine = (r) => r.url

union(tables: [
    last_of(measurement: "http_response", field: "result_code") |> named(fn: address),
    last_of(measurement: "http_response", field: "response_time") |> named(fn: address),
    last_of(measurement: "net_response", field: "result_code") |> named(fn: port),
    last_of(measurement: "net_response", field: "response_time") |> named(fn: port),
    last_of(measurement: "dns_query", field: "result_code") |> named(fn: name),
    last_of(measurement: "dns_query", field: "query_time_ms") |> named(fn: name),
    last_of(measurement: "ping", field: "result_code") |> named(fn: machine),
    last_of(measurement: "ping", field: "average_response_ms") |> named(fn: machine),
])
  |> group(columns: ["kind", "service", "systems", "host"])
  // What was measured before the last answer says nothing of now.
  |> sort(columns: ["last_heard"])
  |> reduce(
      identity: {last_heard: time(v: 0), code: -1.0, took_ms: -1.0, took_at: time(v: 0)},
      fn: (r, accumulator) => ({
          last_heard: if r.name == "code" then r.last_heard else accumulator.last_heard,
          code: if r.name == "code" then r.figure else accumulator.code,
          took_ms: if r.name == "took" then r.figure else accumulator.took_ms,
          took_at: if r.name == "took" then r.last_heard else accumulator.took_at,
      }),
  )
  |> group()
  |> map(fn: (r) => {
      state = if r.last_heard < silent_since then "no data" else if r.code == 0.0 then "ok" else "failed"

      return {
          rank: if state == "failed" then 0 else if state == "ok" then 2 else 1,
          state: state,
          kind: r.kind,
          service: r.service,
          systems: r.systems,
          host: r.host,
          took_ms: if state == "ok" and r.took_at >= r.last_heard then r.took_ms else -1.0,
          last_heard: r.last_heard,
      }
  })
  |> sort(columns: ["rank", "kind", "service"])
  |> limit(n: 500)
  |> drop(columns: ["rank"])
