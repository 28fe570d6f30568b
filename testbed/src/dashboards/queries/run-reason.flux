at = "${at}"
start = if at == "" then v.timeRangeStart else time(v: int(v: at) * 1000000)
stop = if at == "" then v.timeRangeStop else time(v: (int(v: at) + 1) * 1000000)

from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == "journey")
  |> filter(fn: (r) => CHOSEN)
  |> filter(fn: (r) => r._field == "failed_step" or r._field == "error_class" or r._field == "error" or r._field == "url" or r._field == "drift" or r._field == "artifact" or r._field == "run_id" or r._field == "result")
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
      failed_step: r.failed_step,
      error_class: r.error_class,
      error: r.error,
      url: r.url,
      drift: r.drift,
      artifact: r.artifact,
      run_id: r.run_id,
  }))
