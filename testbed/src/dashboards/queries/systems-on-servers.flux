import "array"
import "date"
import "join"
import "strings"

known_since = date.sub(d: 30d, from: v.timeRangeStop)
silent_since = date.sub(d: ${silent_after}, from: v.timeRangeStop)

systems = from(bucket: v.defaultBucket)
  |> range(start: known_since, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey" and r._field == "result_code")
  |> last()
  |> group(columns: ["system", "journey", "probe"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
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
  |> map(fn: (r) => ({key: 0, system: r.system, worst: r.worst}))

hosts = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "system" and r._field == "uptime" and exists r.systems)
  |> filter(fn: (r) => CHOSEN)
  |> last()
  |> group(columns: ["host"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> map(fn: (r) => ({key: 0, host: r.host, systems: r.systems}))

// Every system beside every server, and then those that stand on it. An empty table cannot be joined, so none is empty.
join.inner(
    left: union(tables: [systems, array.from(rows: [{key: 0, system: "", worst: 0}])]),
    right: union(tables: [hosts, array.from(rows: [{key: 0, host: "", systems: ""}])]),
    on: (l, r) => l.key == r.key,
    as: (l, r) => ({worst: l.worst, system: l.system, host: r.host, systems: r.systems}),
)
  |> filter(fn: (r) => r.system != "" and r.host != "")
  |> filter(fn: (r) => strings.containsStr(v: "," + r.systems + ",", substr: "," + r.system + ","))
  |> map(fn: (r) => ({
      rank: 0 - r.worst,
      state: if r.worst == 4 then "failed"
        else if r.worst == 3 then "slow"
        else if r.worst == 2 then "unmeasured"
        else if r.worst == 1 then "no data"
        else "ok",
      system: r.system,
      host: r.host,
  }))
  |> sort(columns: ["rank", "system", "host"])
  |> limit(n: 500)
  |> drop(columns: ["rank"])
