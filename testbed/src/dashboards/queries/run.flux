at = "${at}"
start = if at == "" then v.timeRangeStart else time(v: int(v: at) * 1000000)
stop = if at == "" then v.timeRangeStop else time(v: (int(v: at) + 1) * 1000000)

from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == "journey")
  |> filter(fn: (r) => CHOSEN)
  |> filter(fn: (r) => r._field == "result_code" or r._field == "duration_ms" or r._field == "queued_ms" or r._field == "steps_ok" or r._field == "steps_total" or r._field == "attempts" or r._field == "http_status")
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
  |> map(fn: (r) => ({
      at: r._time,
      state: r.result_code,
      duration_ms: r.duration_ms,
      queued_ms: r.queued_ms,
      steps_ok: r.steps_ok,
      steps_total: r.steps_total,
      attempts: r.attempts,
      http_status: r.http_status,
      probe: r.probe,
  }))
