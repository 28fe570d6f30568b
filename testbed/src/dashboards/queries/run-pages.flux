at = "${at}"
start = if at == "" then v.timeRangeStart else time(v: int(v: at) * 1000000)
stop = if at == "" then v.timeRangeStop else time(v: (int(v: at) + 1) * 1000000)

from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == "journey_page")
  |> filter(fn: (r) => CHOSEN)
  |> filter(fn: (r) => r._field == "url" or r._field == "http_status" or r._field == "ttfb_ms" or r._field == "fcp_ms" or r._field == "lcp_ms" or r._field == "cls" or r._field == "inp_ms" or r._field == "load_ms" or r._field == "requests" or r._field == "failed_requests" or r._field == "transferred_bytes" or r._field == "console_errors")
  |> tail(n: 100)
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  // Only what is of the newest run: its documents are nanoseconds apart.
  |> sort(columns: ["_time"], desc: true)
  |> map(fn: (r) => ({r with behind: int(v: r._time)}))
  |> difference(columns: ["behind"], keepFirst: true)
  |> fill(column: "behind", value: 0)
  |> cumulativeSum(columns: ["behind"])
  |> filter(fn: (r) => r.behind > -1000000)
  |> sort(columns: ["_time"])
  |> map(fn: (r) => ({
      step: r.step,
      url: r.url,
      http_status: r.http_status,
      ttfb_ms: r.ttfb_ms,
      fcp_ms: r.fcp_ms,
      lcp_ms: r.lcp_ms,
      cls: r.cls,
      inp_ms: r.inp_ms,
      load_ms: r.load_ms,
      requests: r.requests,
      failed_requests: r.failed_requests,
      transferred_bytes: r.transferred_bytes,
      console_errors: r.console_errors,
  }))
