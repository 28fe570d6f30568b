//! A run that fails may be tried again, where its journey says so and the failure may be a moment's weakness.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    running::{Run, Running, Setting, browser_table},
    site::{Reply, serve},
};

/// A site that breaks the first connection to `/`, and whose `/estado` shows another text each time. Every look at `/adios`
/// is a clean-up.
fn weak_site() -> (String, &'static AtomicUsize) {
    let cleanups: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    let visits = AtomicUsize::new(0);
    let looks = AtomicUsize::new(0);
    let site = serve(move |path| match path {
        "/" if visits.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Reset,
        "/" => Reply::page("<p>Bienvenido</p>"),
        "/estado" => {
            let look = looks.fetch_add(1, Ordering::SeqCst);
            Reply::page(format!("<p id=estado>valor {look}</p>"))
        }
        "/adios" => {
            cleanups.fetch_add(1, Ordering::SeqCst);
            Reply::page("adiós")
        }
        _ => Reply::page(""),
    });
    (site, cleanups)
}

fn run(site: &str, head: &str, actions: &str) -> (Run, String) {
    let journey = format!(
        r#"
system = "paginas"
name = "debil"
impact = "low"
every = "24h"
timeout = "20s"
action_timeout = "2s"
{head}
[variables]
portal = "https://t.example"
[[step]]
name = "Usar"
actions = [{actions}]
[[cleanup]]
name = "Despedirse"
actions = [{{ goto = "${{portal}}/adios" }}]
"#
    );
    let setting = Setting::new(&journey, site, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    let (_, _, stderr) = probe.stop();
    (run, stderr)
}

const OPEN: &str = "{ goto = \"${portal}/\" }, { expect = { text = \"Bienvenido\" } }";
const LOOK: &str = "{ goto = \"${portal}/estado\" }, { expect = { text = { in = \"#estado\", is = \"valor 1\" } } }";

#[test]
fn a_connection_that_breaks_once_costs_an_attempt_and_not_the_run() {
    let (site, cleanups) = weak_site();
    let (run, stderr) = run(&site, "attempts = 3", OPEN);
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    assert_eq!(run.journey.integer("attempts"), Some(2));
    assert_eq!(run.journey.text("error"), None);
    assert_eq!(run.steps.len(), 1, "of the last attempt alone");
    assert!(
        stderr.contains("I! paginas/debil: attempt 1 of 3 did not succeed, there is another one: "),
        "{stderr}"
    );
    assert!(cleanups.load(Ordering::SeqCst) >= 1, "after each attempt");
}

#[test]
fn without_a_word_there_is_one_attempt() {
    let (site, _) = weak_site();
    let (run, _) = run(&site, "", OPEN);
    assert_eq!(run.journey.text("result"), Some("failed"));
    assert_eq!(run.journey.text("error_class"), Some("connect"));
    assert_eq!(run.journey.integer("attempts"), Some(1));
}

#[test]
fn a_wrong_value_is_not_tried_again_unless_the_journey_asks_for_it() {
    let (site, _) = weak_site();
    let (wrong, _) = run(&site, "attempts = 2", LOOK);
    assert_eq!(wrong.journey.text("result"), Some("failed"));
    assert_eq!(wrong.journey.text("error_class"), Some("assertion"));
    assert_eq!(wrong.journey.integer("attempts"), Some(1));

    let (site, _) = weak_site();
    let (right, _) = run(&site, "attempts = 2\nretry_on = [\"assertion\"]", LOOK);
    assert_eq!(
        right.journey.text("result"),
        Some("ok"),
        "{}",
        right.journey.0
    );
    assert_eq!(right.journey.integer("attempts"), Some(2));
}

#[test]
fn when_every_attempt_fails_the_run_has_failed_with_the_last_one_and_its_picture() {
    let site = serve(|_| Reply::Reset);
    let (run, _) = run(&site, "attempts = 2", OPEN);
    assert_eq!(run.journey.text("result"), Some("failed"));
    assert_eq!(run.journey.integer("attempts"), Some(2));
    assert!(run.journey.text("artifact").is_some());
}
