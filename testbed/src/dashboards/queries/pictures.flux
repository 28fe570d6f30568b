from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "journey_screenshot" and (r._field == "image" or r._field == "failed_step"))
  |> filter(fn: (r) => CHOSEN)
  |> tail(n: 12)
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => exists r.image)
  |> map(fn: (r) => ({
      at: r._time,
      system: r.system,
      journey: r.journey,
      probe: r.probe,
      failed_step: if exists r.failed_step then r.failed_step else "",
      picture: r.image,
  }))
  |> sort(columns: ["at"], desc: true)
  |> limit(n: 12)
