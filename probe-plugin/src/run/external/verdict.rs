//! What a run of another program came to: a pure function of how it ended, what it reported and what it said last.
//!
//! What a report says of the system is believed before the exit code, because it was written by whoever looked. What
//! neither explains is the robot's own fault, and says nothing about the system. The table stands in
//! `docs/external-journeys.md`.

use std::{
    collections::{BTreeMap, HashSet},
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::Duration,
};

use vigia_contract::{data_model::ErrorClass, slug::slug};

use super::{
    evidence::{self, Otherwise},
    junit::Case,
    last_words::LastWords,
    process::End,
    trouble::failure_of,
};
use crate::run::{
    Failure, StepReport,
    outcome::{self, Blame},
};

/// A journey is one workflow: more steps than this are another kind of thing, and each of them is a series in the database.
pub const STEPS_MAX: usize = 100;

/// A name is a tag.
const NAME_MAX_CHARACTERS: usize = 120;

/// All that is known of a run.
#[derive(Debug)]
pub struct Account<'a> {
    /// How the program ended.
    pub end: End,
    /// What it reported.
    pub reported: Reported,
    /// Whether it was told to report.
    pub owes_report: bool,
    /// What it said last.
    pub last_words: &'a LastWords,
    /// The journey's.
    pub timeout: Duration,
    /// By the names of steps.
    pub budgets: &'a BTreeMap<String, Duration>,
}

/// What a program reported.
#[derive(Clone, Debug, PartialEq)]
pub enum Reported {
    /// Nothing in this run.
    Nothing {
        /// A report of another run is there.
        earlier: bool,
    },
    /// Something that is no report, and why not.
    Unreadable(String),
    /// The tests.
    Cases(Vec<Case>),
}

/// What it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The tests that were run.
    pub steps: Vec<StepReport>,
    /// The names of those that were not.
    pub not_reached: Vec<String>,
    /// Why it did not come to its end.
    pub failure: Option<Failure>,
}

/// Judges.
pub fn verdict(account: &Account<'_>) -> Verdict {
    let without_steps = |failure| Verdict {
        steps: Vec::new(),
        not_reached: Vec::new(),
        failure,
    };
    let overran = account.end == End::Overran;
    match &account.reported {
        Reported::Nothing { earlier } => without_steps(without_report(account, *earlier)),
        Reported::Unreadable(_) if overran => without_steps(Some(timed_out(account))),
        Reported::Unreadable(why) => {
            without_steps(Some(own_fault(format!("the report cannot be read: {why}"))))
        }
        Reported::Cases(cases) if cases.len() > STEPS_MAX => {
            let count = cases.len();
            without_steps(Some(own_fault(format!(
                "the report has {count} tests: a journey is one workflow of at most {STEPS_MAX} steps"
            ))))
        }
        Reported::Cases(cases) => with_report(account, cases),
    }
}

fn with_report(account: &Account<'_>, cases: &[Case]) -> Verdict {
    let mut names = Names::default();
    let mut steps = Vec::new();
    let mut not_reached = Vec::new();
    let mut failures = Vec::new();
    for case in merged(cases) {
        let (name, slug) = names.of(&case);
        let failure = case
            .trouble
            .as_ref()
            .map(|trouble| failure_of(&case, trouble));
        if failure.is_none() && case.skipped {
            not_reached.push(name);
            continue;
        }
        let budget = account.budgets.get(&name).copied();
        let (duration, outcome) = match (&failure, case.took) {
            (Some(failure), _) => (None, failure.outcome()),
            (None, Some(took)) => (Some(took), outcome::of_completed_step(took, budget)),
            (None, None) => (None, outcome::of_completed_step(Duration::ZERO, None)),
        };
        steps.push(StepReport {
            name,
            slug,
            budget,
            duration,
            outcome,
            optional: false,
        });
        failures.extend(failure);
    }
    // What is known of the system outweighs what the robot could not look at.
    let of_system = failures
        .iter()
        .find(|failure| failure.blame == Blame::System);
    let failure = of_system
        .or(failures.first())
        .cloned()
        .or_else(|| without_trouble(account, &steps));
    Verdict {
        steps,
        not_reached,
        failure,
    }
}

/// No test says that anything is wrong.
fn without_trouble(account: &Account<'_>, steps: &[StepReport]) -> Option<Failure> {
    let all_ok = "every step of the report is ok, but the robot";
    match account.end {
        End::Overran if steps.is_empty() => Some(timed_out(account)),
        _ if steps.is_empty() => Some(own_fault(with_words(
            "the report has no test that was run",
            account.last_words,
        ))),
        End::Overran => Some(Failure::of_probe(
            ErrorClass::Browser,
            format!("{all_ok} {}", not_within(account.timeout)),
        )),
        End::Ended(status) if status.success() => None,
        End::Ended(status) => Some(Failure::of_probe(
            ErrorClass::Browser,
            with_words(
                &format!("{all_ok} {}", ended_with(status)),
                account.last_words,
            ),
        )),
    }
}

fn without_report(account: &Account<'_>, earlier: bool) -> Option<Failure> {
    let End::Ended(status) = account.end else {
        return Some(timed_out(account));
    };
    let ended = format!("the robot {}", ended_with(status));
    let words = account.last_words;
    if status.signal().is_some() {
        return Some(Failure::of_probe(
            ErrorClass::Browser,
            with_words(&ended, words),
        ));
    }
    if account.owes_report {
        let missing = if earlier {
            "; the report that is there is of an earlier run"
        } else {
            " and wrote no report"
        };
        return Some(own_fault(with_words(&format!("{ended}{missing}"), words)));
    }
    match status.code() {
        Some(0) => None,
        // What shells, `env` and their like end with when there is nothing to start.
        Some(126 | 127) => Some(own_fault(with_words(&ended, words))),
        _ => {
            let (blame, class) = evidence::judge(&words.0, Otherwise::Tested);
            Some(Failure {
                blame,
                class,
                error: with_words(&ended, words),
            })
        }
    }
}

fn timed_out(account: &Account<'_>) -> Failure {
    let what = format!("the robot {}", not_within(account.timeout));
    Failure::of_system(ErrorClass::Timeout, with_words(&what, account.last_words))
}

fn own_fault(error: String) -> Failure {
    Failure::of_probe(ErrorClass::Config, error)
}

fn not_within(timeout: Duration) -> String {
    format!(
        "did not end within its `timeout` of {} s",
        timeout.as_secs_f64()
    )
}

fn ended_with(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".into(),
    }
}

fn with_words(what: &str, words: &LastWords) -> String {
    match words.in_one_line() {
        Some(words) => format!("{what}: {words}"),
        None => what.to_owned(),
    }
}

/// A test that fails and cannot be cleared away either is written twice by pytest, under one name.
fn merged(cases: &[Case]) -> Vec<Case> {
    let mut merged: Vec<Case> = Vec::new();
    for case in cases {
        match merged.last_mut() {
            Some(last) if last.name == case.name && last.class == case.class => {
                last.took = last
                    .took
                    .zip(case.took)
                    .map(|(first, second)| first + second);
                last.skipped &= case.skipped;
                last.trouble = last.trouble.take().or_else(|| case.trouble.clone());
            }
            _ => merged.push(case.clone()),
        }
    }
    merged
}

/// Names and slugs, each given once.
#[derive(Default)]
struct Names {
    given: HashSet<String>,
}

impl Names {
    fn of(&mut self, case: &Case) -> (String, String) {
        let short = |name: String| name.chars().take(NAME_MAX_CHARACTERS).collect::<String>();
        let with_class = format!("{} {}", case.class, case.name);
        let numbered = (2..).map(|number| format!("{} {number}", short(case.name.clone())));
        let names = [short(case.name.clone()), short(with_class)];
        let mut names = names.into_iter().chain(numbered).map(|name| {
            let slug = slug(&name);
            (name, slug)
        });
        let free = names.find(|(_, slug)| !slug.is_empty() && self.given.insert(slug.clone()));
        free.expect("the numbers have no end")
    }
}

#[cfg(test)]
mod tests {
    use vigia_contract::data_model::Outcome;

    use super::{super::junit::Trouble, *};

    fn exit(code: i32) -> End {
        End::Ended(ExitStatus::from_raw(code << 8))
    }

    fn case(name: &str, trouble: Option<&str>) -> Case {
        Case {
            name: name.into(),
            took: Some(Duration::from_millis(1500)),
            trouble: trouble.map(|message| Trouble {
                message: message.into(),
                ..Trouble::default()
            }),
            ..Case::default()
        }
    }

    fn judged(end: End, reported: Reported, owes_report: bool) -> (Outcome, Verdict) {
        let account = Account {
            end,
            reported,
            owes_report,
            last_words: &LastWords("uno\ndos".into()),
            timeout: Duration::from_mins(1),
            budgets: &BTreeMap::from([("lento".into(), Duration::from_secs(1))]),
        };
        let verdict = verdict(&account);
        let outcome = outcome::of_run(&verdict.steps, verdict.failure.as_ref());
        (outcome, verdict)
    }

    #[test]
    fn every_end_with_every_report_has_its_outcome() {
        let green = || Reported::Cases(vec![case("a", None), case("b", None)]);
        let red = || Reported::Cases(vec![case("a", None), case("b", Some("AssertionError: no"))]);
        let nothing = || Reported::Nothing { earlier: false };
        let broken = || Reported::Unreadable("it ends in the middle".into());
        let killed = End::Ended(ExitStatus::from_raw(9));
        let mut told = Vec::new();
        for (end_name, end) in [
            ("exit 0", exit(0)),
            ("exit 1", exit(1)),
            ("exit 127", exit(127)),
            ("signal 9", killed),
            ("overran", End::Overran),
        ] {
            for (name, reported, owes) in [
                ("green", green(), true),
                ("red", red(), true),
                ("broken", broken(), true),
                ("no test", Reported::Cases(Vec::new()), true),
                ("missing", nothing(), true),
                ("old", Reported::Nothing { earlier: true }, true),
                ("none", nothing(), false),
            ] {
                let (outcome, verdict) = judged(end, reported, owes);
                let failure = verdict.failure.map_or_else(String::new, |failure| {
                    format!(" {}: {}", failure.class.name(), failure.error)
                });
                let outcome = outcome.name();
                told.push(format!("{end_name}, {name}: {outcome}{failure}"));
            }
        }
        insta::assert_snapshot!(told.join("\n"), @"
        exit 0, green: ok
        exit 0, red: failed assertion: AssertionError: no
        exit 0, broken: unmeasured config: the report cannot be read: it ends in the middle
        exit 0, no test: unmeasured config: the report has no test that was run: uno | dos
        exit 0, missing: unmeasured config: the robot ended with exit code 0 and wrote no report: uno | dos
        exit 0, old: unmeasured config: the robot ended with exit code 0; the report that is there is of an earlier run: uno | dos
        exit 0, none: ok
        exit 1, green: unmeasured browser: every step of the report is ok, but the robot ended with exit code 1: uno | dos
        exit 1, red: failed assertion: AssertionError: no
        exit 1, broken: unmeasured config: the report cannot be read: it ends in the middle
        exit 1, no test: unmeasured config: the report has no test that was run: uno | dos
        exit 1, missing: unmeasured config: the robot ended with exit code 1 and wrote no report: uno | dos
        exit 1, old: unmeasured config: the robot ended with exit code 1; the report that is there is of an earlier run: uno | dos
        exit 1, none: failed assertion: the robot ended with exit code 1: uno | dos
        exit 127, green: unmeasured browser: every step of the report is ok, but the robot ended with exit code 127: uno | dos
        exit 127, red: failed assertion: AssertionError: no
        exit 127, broken: unmeasured config: the report cannot be read: it ends in the middle
        exit 127, no test: unmeasured config: the report has no test that was run: uno | dos
        exit 127, missing: unmeasured config: the robot ended with exit code 127 and wrote no report: uno | dos
        exit 127, old: unmeasured config: the robot ended with exit code 127; the report that is there is of an earlier run: uno | dos
        exit 127, none: unmeasured config: the robot ended with exit code 127: uno | dos
        signal 9, green: unmeasured browser: every step of the report is ok, but the robot was killed by signal 9: uno | dos
        signal 9, red: failed assertion: AssertionError: no
        signal 9, broken: unmeasured config: the report cannot be read: it ends in the middle
        signal 9, no test: unmeasured config: the report has no test that was run: uno | dos
        signal 9, missing: unmeasured browser: the robot was killed by signal 9: uno | dos
        signal 9, old: unmeasured browser: the robot was killed by signal 9: uno | dos
        signal 9, none: unmeasured browser: the robot was killed by signal 9: uno | dos
        overran, green: unmeasured browser: every step of the report is ok, but the robot did not end within its `timeout` of 60 s
        overran, red: failed assertion: AssertionError: no
        overran, broken: failed timeout: the robot did not end within its `timeout` of 60 s: uno | dos
        overran, no test: failed timeout: the robot did not end within its `timeout` of 60 s: uno | dos
        overran, missing: failed timeout: the robot did not end within its `timeout` of 60 s: uno | dos
        overran, old: failed timeout: the robot did not end within its `timeout` of 60 s: uno | dos
        overran, none: failed timeout: the robot did not end within its `timeout` of 60 s: uno | dos
        ");
    }

    #[test]
    fn a_step_over_its_budget_is_slow_and_a_skipped_one_was_not_reached() {
        let skipped = Case {
            skipped: true,
            ..case("despues", None)
        };
        let cases = vec![case("rápido", None), case("lento", None), skipped];
        let (outcome, verdict) = judged(exit(0), Reported::Cases(cases), true);
        assert_eq!(outcome, Outcome::Slow);
        assert_eq!(verdict.steps[1].outcome, Outcome::Slow);
        assert_eq!(verdict.not_reached, ["despues"]);
    }

    #[test]
    fn what_is_known_of_the_system_outweighs_what_the_robot_could_not_look_at() {
        let cases = vec![
            case("a", Some("ModuleNotFoundError: no")),
            case("b", Some("AssertionError: no")),
        ];
        let (outcome, verdict) = judged(exit(1), Reported::Cases(cases), true);
        assert_eq!(outcome, Outcome::Failed);
        assert_eq!(verdict.failure.unwrap().class, ErrorClass::Assertion);
        assert_eq!(verdict.steps[0].outcome, Outcome::Unmeasured);
    }

    #[test]
    fn names_that_are_the_same_become_different_series() {
        let named = |name: &str, class: &str| Case {
            class: class.into(),
            ..case(name, None)
        };
        let cases = vec![
            named("Buscar", "firefox"),
            named("Buscar!", "chromium"),
            named("buscar", "chromium"),
            named("buscar", ""),
            named("★", ""),
        ];
        let (_, verdict) = judged(exit(0), Reported::Cases(cases), true);
        let slugs: Vec<_> = verdict
            .steps
            .iter()
            .map(|step| step.slug.as_str())
            .collect();
        assert_eq!(
            slugs,
            ["buscar", "chromium-buscar", "buscar-2", "buscar-3", "2"]
        );
    }

    #[test]
    fn a_test_that_is_written_twice_is_one_step() {
        let cases = vec![case("a", None), case("a", Some("failed on teardown"))];
        let (_, verdict) = judged(exit(1), Reported::Cases(cases), true);
        assert_eq!(verdict.steps.len(), 1);
        assert_eq!(verdict.steps[0].outcome, Outcome::Unmeasured);
    }
}
