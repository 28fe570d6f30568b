// How often each journey ran, in seconds: the longest and the shortest interval of each day. A function, because what is read
// twice from one variable is not aggregated by the storage, which takes a hundred times as long.
runs = () =>
    from(bucket: v.defaultBucket)
        |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
        |> filter(fn: (r) => r._measurement == "journey" and r._field == "every_s")
runs()
    |> aggregateWindow(every: 1d, fn: max, createEmpty: false)
    |> keep(columns: ["system", "journey", "probe", "_value"])
    |> yield(name: "longest")
runs()
    |> aggregateWindow(every: 1d, fn: min, createEmpty: false)
    |> keep(columns: ["system", "journey", "probe", "_value"])
    |> yield(name: "shortest")
