// One row for every run of a journey between `v.timeRangeStart` and `v.timeRangeStop`, with the last step that took longer
// than its budget.
outcomes = from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey")
    // One by one, so that the storage leaves the other fields out: of a set it would read them all.
    |> filter(
        fn: (r) =>
            r._field == "result" or
            r._field == "url" or
            r._field == "run_id" or
            r._field == "artifact" or
            r._field == "every_s",
    )
    |> drop(columns: ["_start", "_stop", "host"])
steps = from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "journey_step" and r._field == "result_code" and r._value == 1)
    |> map(
        fn: (r) =>
            ({
                _time: r._time,
                _measurement: "journey",
                _field: "failed_step",
                _value: r.step,
                system: r.system,
                journey: r.journey,
                probe: r.probe,
                impact: r.impact,
            }),
    )
    |> group(columns: ["_measurement", "_field", "system", "journey", "probe", "impact"])
union(tables: [outcomes, steps])
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    // A step whose run is outside the range says nothing by itself.
    |> filter(fn: (r) => exists r.result)
