//! Everything behind the report as CSV files: whoever doubts a number can add it up again. The same points give the same
//! bytes. Times of day are on the clock of the report, durations in seconds, percentages cut and never rounded up.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    availability::{Availability, Target, share},
    figures::{Figures, Incident, Journey, System},
    records::Spread,
    timeline::Times,
};

/// A file by its name.
pub type File = (&'static str, Vec<u8>);

/// Writes them all.
pub fn write(figures: &Figures, time_zone: &TimeZone) -> Result<Vec<File>, csv::Error> {
    let systems = &figures.systems;
    Ok(vec![
        (
            "systems.csv",
            table(
                &SYSTEM,
                systems.iter().map(|system| row_of_system(figures, system)),
            )?,
        ),
        (
            "journeys.csv",
            table(
                &JOURNEY,
                each(systems, |system| &system.journeys, row_of_journey),
            )?,
        ),
        ("steps.csv", table(&STEP, rows_of_steps(systems))?),
        (
            "incidents.csv",
            table(
                &INCIDENT,
                each(
                    systems,
                    |system| &system.incidents,
                    |system, incident| row_of_incident(system, incident, time_zone),
                ),
            )?,
        ),
        (
            "days.csv",
            table(
                &DAY,
                each(
                    systems,
                    |system| &system.days,
                    |system, (day, times)| {
                        let mut row = vec![text(&system.name), day.to_string()];
                        row.extend(columns_of_times(times, system.target));
                        row
                    },
                ),
            )?,
        ),
    ])
}

const TIMES: [&str; 9] = [
    "availability_percent",
    "up_s",
    "local_s",
    "down_s",
    "unmeasured_s",
    "missed_s",
    "silent_s",
    "maintenance_s",
    "coverage_percent",
];

const COUNTS: [&str; 6] = ["runs", "ok", "slow", "failed", "unmeasured", "missed"];

const SYSTEM: [&[&str]; 4] = [
    &[
        "month",
        "from",
        "to",
        "system",
        "impact",
        "target_percent",
        "verdict",
    ],
    &TIMES,
    &COUNTS,
    &[
        "budget_left_s",
        "availability_before_percent",
        "change_points",
        "incidents",
        "longest_incident_s",
        "mean_time_to_detect_s",
        "mean_time_to_acknowledge_s",
        "mean_time_to_recover_s",
    ],
];

const JOURNEY: [&[&str]; 4] = [
    &["system", "journey"],
    &TIMES,
    &COUNTS,
    &[
        "completed",
        "p50_ms",
        "p95_ms",
        "completed_before",
        "p50_before_ms",
        "p95_before_ms",
    ],
];

const STEP: [&[&str]; 1] = [&["system", "journey", "step", "completed", "p50_ms", "p95_ms"]];

const INCIDENT: [&[&str]; 1] = [&[
    "system",
    "started_at",
    "ended_at",
    "is_over",
    "began_before_the_month",
    "in_the_month_s",
    "down_s",
    "journeys",
    "failed_step",
    "error_class",
    "error",
    "time_to_detect_s",
    "time_to_acknowledge_s",
    "acknowledged_by",
    "time_to_recover_s",
    "incident_ids",
]];

const DAY: [&[&str]; 2] = [&["system", "day"], &TIMES];

fn table(
    header: &[&[&str]],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(header.concat())?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

fn each<'a, T: 'a>(
    systems: &'a [System],
    of: impl Fn(&'a System) -> &'a Vec<T> + 'a,
    row: impl Fn(&'a System, &'a T) -> Vec<String> + 'a,
) -> impl Iterator<Item = Vec<String>> + 'a {
    let pairs = systems
        .iter()
        .flat_map(move |system| of(system).iter().map(move |part| (system, part)));
    pairs.map(move |(system, part)| row(system, part))
}

fn row_of_system(figures: &Figures, system: &System) -> Vec<String> {
    let mut row = vec![
        figures.month.to_string(),
        figures.period.from.to_string(),
        figures.period.to.to_string(),
        text(&system.name),
        system
            .impact
            .map_or_else(String::new, |impact| impact.to_string()),
        system
            .target
            .map_or_else(String::new, |target| target.to_string()),
        system.verdict().name().to_owned(),
    ];
    row.extend(columns_of_times(&system.times, system.target));
    row.extend(columns_of_counts(&system.counts));
    let mean = |of: fn(&Incident) -> Option<i64>| seconds(system.mean(of).map(|(mean, _)| mean));
    row.extend([
        seconds(system.budget_left_ns()),
        system
            .before
            .map_or_else(String::new, |before| before.percent(system.target)),
        system
            .availability
            .zip(system.before)
            .map_or_else(String::new, |(now, before)| now.points_above(before)),
        system.incidents.len().to_string(),
        seconds(
            system
                .incidents
                .iter()
                .map(|incident| incident.within.duration_ns())
                .max(),
        ),
        mean(|incident| incident.detected_ns),
        mean(|incident| incident.acknowledged_ns),
        mean(Incident::recovered_ns),
    ]);
    row
}

fn row_of_journey(system: &System, journey: &Journey) -> Vec<String> {
    let mut row = vec![text(&system.name), text(&journey.name)];
    row.extend(columns_of_times(&journey.times, system.target));
    row.extend(columns_of_counts(&journey.counts));
    row.extend(columns_of_spread(journey.spread));
    row.extend(columns_of_spread(journey.before));
    row
}

fn rows_of_steps(systems: &[System]) -> impl Iterator<Item = Vec<String>> {
    systems.iter().flat_map(|system| {
        system.journeys.iter().flat_map(move |journey| {
            journey.steps.iter().map(move |(step, spread)| {
                let mut row = vec![text(&system.name), text(&journey.name), text(step)];
                row.extend(columns_of_spread(Some(*spread)));
                row
            })
        })
    })
}

fn row_of_incident(system: &System, incident: &Incident, time_zone: &TimeZone) -> Vec<String> {
    let cause = incident.cause.clone().unwrap_or_default();
    let whole = incident.outage.interval;
    vec![
        text(&system.name),
        moment(whole.from, time_zone),
        if incident.outage.is_over {
            moment(whole.to, time_zone)
        } else {
            String::new()
        },
        incident.outage.is_over.to_string(),
        incident.began_before().to_string(),
        seconds(Some(incident.within.duration_ns())),
        seconds(Some(incident.down_ns)),
        text(&incident.journeys.join(" ")),
        text(cause.step.as_deref().unwrap_or_default()),
        text(cause.class.as_deref().unwrap_or_default()),
        text(cause.error.as_deref().unwrap_or_default()),
        seconds(incident.detected_ns),
        seconds(incident.acknowledged_ns),
        text(incident.acknowledged_by.as_deref().unwrap_or_default()),
        seconds(incident.recovered_ns()),
        text(&incident.ids.join(" ")),
    ]
}

fn columns_of_times(times: &Times, target: Option<Target>) -> [String; 9] {
    let availability = Availability::new(times.up_ns + times.local_ns, times.down_ns);
    let second = |ns| seconds(Some(ns));
    [
        availability.map_or_else(String::new, |availability| availability.percent(target)),
        second(times.up_ns),
        second(times.local_ns),
        second(times.down_ns),
        second(times.unmeasured_ns),
        second(times.missed_ns),
        second(times.silent_ns),
        second(times.maintenance_ns),
        share(times.measured_ns(), times.expected_ns()).unwrap_or_default(),
    ]
}

fn columns_of_counts(counts: &super::records::Counts) -> [String; 6] {
    [
        counts.all,
        counts.ok(),
        counts.slow,
        counts.failed,
        counts.unmeasured,
        counts.missed,
    ]
    .map(|count| count.to_string())
}

fn columns_of_spread(spread: Option<Spread>) -> [String; 3] {
    spread.map_or_else(Default::default, |spread| {
        [
            spread.runs.to_string(),
            format!("{:.3}", spread.p50_ms),
            format!("{:.3}", spread.p95_ms),
        ]
    })
}

/// A duration in seconds, with as many digits behind the point as it has.
fn seconds(ns: Option<i64>) -> String {
    let Some(ns) = ns else {
        return String::new();
    };
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    let (whole, fraction) = (ns / 1_000_000_000, ns % 1_000_000_000);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:09}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

fn moment(at: Timestamp, time_zone: &TimeZone) -> String {
    at.to_zoned(time_zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%.f%:z")
        .to_string()
}

/// What a page or a person wrote, so that no spreadsheet takes it for a formula.
fn text(written: &str) -> String {
    if written.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{written}")
    } else {
        written.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_to_the_nanosecond_and_a_formula_is_a_text() {
        for (ns, written) in [
            (0, "0"),
            (2_593_000_000_000, "2593"),
            (-1_500_000_000, "-1.5"),
            (1, "0.000000001"),
        ] {
            assert_eq!(seconds(Some(ns)), written);
        }
        assert_eq!(seconds(None), "");
        assert_eq!(text("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(
            text("el servidor respondió 500"),
            "el servidor respondió 500"
        );
    }
}
