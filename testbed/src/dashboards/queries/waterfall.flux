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
  |> map(fn: (r) => ({r with after_ms: if exists r.duration_ms then r.duration_ms else 0.0}))
  |> cumulativeSum(columns: ["after_ms"])
  |> map(fn: (r) => {
      took = if exists r.duration_ms then r.duration_ms else 0.0

      return {
          step: string(v: r.index + 1) + " " + r.step,
          // Where its bar begins: behind all the steps before it.
          before_ms: r.after_ms - took,
          ok_ms: if r.result_code == 0 then took else 0.0,
          slow_ms: if r.result_code == 1 then took else 0.0,
      }
  })
