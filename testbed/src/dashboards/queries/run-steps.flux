at = "${at}"
start = if at == "" then v.timeRangeStart else time(v: int(v: at) * 1000000)
stop = if at == "" then v.timeRangeStop else time(v: (int(v: at) + 1) * 1000000)

from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == "journey_step")
  |> filter(fn: (r) => CHOSEN)
  |> filter(fn: (r) => r._field == "index" or r._field == "result_code" or r._field == "duration_ms" or r._field == "budget_ms")
  |> last()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  // Only what is of the newest run.
  |> sort(columns: ["_time"], desc: true)
  |> map(fn: (r) => ({r with behind: int(v: r._time)}))
  |> difference(columns: ["behind"], keepFirst: true)
  |> fill(column: "behind", value: 0)
  |> cumulativeSum(columns: ["behind"])
  |> filter(fn: (r) => r.behind == 0)
  |> sort(columns: ["index"])
  |> map(fn: (r) => ({
      number: r.index + 1,
      step: r.step,
      state: r.result_code,
      duration_ms: r.duration_ms,
      budget_ms: r.budget_ms,
  }))
