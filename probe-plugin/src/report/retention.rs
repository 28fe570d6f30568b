//! How long artifacts are kept: by count, by age and by bytes, and of what there is too much what failed goes last. Pure.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use vigia_contract::artifact::{SCREENSHOT_FILE, STEPS_FILE};

/// What is kept: a part of the table `[artifacts]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// So many failed runs of each journey.
    pub failed_runs: NonZeroU32,
    /// So many runs of each journey of which there is nothing but the pictures that it asks for: they come with every run,
    /// and must not push the failures out.
    pub other_runs: NonZeroU32,
    /// Nothing that is older.
    #[serde(deserialize_with = "vigia_contract::duration::deserialize")]
    pub age: Duration,
    /// So many million bytes of all journeys together.
    pub mb: NonZeroU32,
}

impl Default for Retention {
    fn default() -> Self {
        const fn some(number: u32) -> NonZeroU32 {
            NonZeroU32::new(number).expect("no number here is 0")
        }
        Self {
            failed_runs: const { some(50) },
            other_runs: const { some(10) },
            age: Duration::from_hours(24 * 90),
            mb: const { some(5000) },
        }
    }
}

/// A file in the store.
#[derive(Clone, Debug)]
pub struct KeptFile {
    /// `system/journey/run_id/name`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

#[derive(Debug, Default)]
struct KeptRun<'a> {
    files: Vec<&'a str>,
    bytes: u64,
    failed: bool,
}

/// The paths of what is too much. What does not lie where a run's files lie is not ours and stays.
pub fn surplus<'a>(files: &'a [KeptFile], retention: &Retention, now: Timestamp) -> Vec<&'a str> {
    // By journey and by run, whose ids begin with their time.
    let mut runs: BTreeMap<(&str, &str, i64, &str), KeptRun<'a>> = BTreeMap::new();
    for file in files {
        let parts: Vec<&str> = file.path.split('/').collect();
        if let [system, journey, run, name] = parts[..]
            && let Some(started_ms) = started_ms(run)
        {
            let run = runs.entry((system, journey, started_ms, run)).or_default();
            run.files.push(&file.path);
            run.bytes += file.bytes;
            run.failed |= [SCREENSHOT_FILE, STEPS_FILE].contains(&name);
        }
    }
    let oldest_ms =
        now.as_millisecond() - i64::try_from(retention.age.as_millis()).unwrap_or(i64::MAX);
    let mut too_much = Vec::new();
    let mut stays = Vec::new();
    let mut counts: BTreeMap<(&str, &str, bool), u32> = BTreeMap::new();
    for ((system, journey, started_ms, _), run) in runs.into_iter().rev() {
        let count = counts.entry((system, journey, run.failed)).or_default();
        *count += 1;
        let most = if run.failed {
            retention.failed_runs
        } else {
            retention.other_runs
        };
        if *count > most.get() || started_ms < oldest_ms {
            too_much.extend(run.files);
        } else {
            stays.push((run.failed, started_ms, run));
        }
    }
    // What failed last, of either kind the oldest first.
    stays.sort_by_key(|(failed, started_ms, _)| (*failed, *started_ms));
    let mut bytes: u64 = stays.iter().map(|(_, _, run)| run.bytes).sum();
    for (_, _, run) in stays {
        if bytes <= u64::from(retention.mb.get()) * 1_000_000 {
            break;
        }
        bytes -= run.bytes;
        too_much.extend(run.files);
    }
    too_much
}

/// When a run with this id started: its first part, in hexadecimal digits.
fn started_ms(run_id: &str) -> Option<i64> {
    let mut parts = run_id.split('-');
    let started = i64::from_str_radix(parts.next()?, 16).ok()?;
    (parts.count() == 2).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 3_600_000;

    fn file(journey: &str, day: i64, name: &str, mb: u64) -> KeptFile {
        KeptFile {
            path: format!("t/{journey}/{:x}-1-0/{name}", day * DAY_MS),
            bytes: mb * 1_000_000,
        }
    }

    fn forgotten(files: &[KeptFile], retention: Retention) -> Vec<&str> {
        let now = Timestamp::from_millisecond(200 * DAY_MS).unwrap();
        let mut forgotten = surplus(files, &retention, now);
        forgotten.sort_unstable();
        forgotten
    }

    #[test]
    fn of_each_journey_the_newest_runs_stay_failed_ones_apart_from_others() {
        let two = NonZeroU32::new(2).unwrap();
        let retention = Retention {
            failed_runs: two,
            other_runs: NonZeroU32::MIN,
            ..Retention::default()
        };
        let mut files: Vec<KeptFile> = (190..194)
            .map(|day| file("a", day, SCREENSHOT_FILE, 1))
            .collect();
        files.push(file("a", 190, "page.html", 1));
        files.extend((195..198).map(|day| file("a", day, "01-x-y.jpg", 1)));
        files.push(file("b", 150, STEPS_FILE, 1));
        let mut expected: Vec<&str> = [0, 1, 4, 5, 6]
            .map(|index| files[index].path.as_str())
            .to_vec();
        expected.sort_unstable();
        assert_eq!(forgotten(&files, retention), expected);
    }

    #[test]
    fn what_is_too_old_goes_and_of_too_many_bytes_what_failed_goes_last() {
        let files = [
            file("a", 109, SCREENSHOT_FILE, 1),
            file("a", 150, SCREENSHOT_FILE, 2000),
            file("b", 151, SCREENSHOT_FILE, 2000),
            file("b", 198, "01-x-y.jpg", 2000),
            file("c", 199, "01-x-y.jpg", 400),
        ];
        assert_eq!(
            forgotten(&files, Retention::default()),
            [&files[0].path, &files[3].path]
        );
        let small = Retention {
            mb: NonZeroU32::new(2300).unwrap(),
            ..Retention::default()
        };
        let gone = [0, 1, 3, 4].map(|index| files[index].path.as_str());
        assert_eq!(forgotten(&files, small), gone);
    }

    #[test]
    fn the_sample_file_shows_the_defaults() {
        let sample = include_str!("../../../examples/probe/probe.toml");
        let (_, table) = sample.split_once("[artifacts.keep]").unwrap();
        let (table, _) = table.split_once("\n[").unwrap();
        let lines = table.lines().filter_map(|line| line.strip_prefix("# "));
        let settings: Vec<&str> = lines.filter(|line| line.contains(" = ")).collect();
        assert_eq!(settings.len(), 4);
        assert_eq!(
            toml::from_str::<Retention>(&settings.join("\n")).unwrap(),
            Retention::default()
        );
    }

    #[test]
    fn what_is_not_ours_stays() {
        let foreign =
            ["lost+found", "t/j/README/x", "t/j/k/l/m", "t/j/0-1-0"].map(|path| KeptFile {
                path: path.into(),
                bytes: u64::MAX / 8,
            });
        assert!(forgotten(&foreign, Retention::default()).is_empty());
    }
}
