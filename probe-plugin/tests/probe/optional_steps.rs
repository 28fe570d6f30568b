//! Steps that a journey can do without, and the time that the whole of it may take.

use crate::{
    running::{Point, Running, Setting, browser_table},
    site::{Reply, serve},
};

fn walk(head: &str, steps: &str) -> Vec<Point> {
    let site = serve(|_| Reply::page("<p>Bienvenido</p><button>Seguir</button>"));
    let journey = format!(
        r#"
system = "paginas"
name = "galletas"
impact = "low"
every = "24h"
timeout = "8s"
action_timeout = "10s"
{head}
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{{ goto = "${{portal}}/" }}]
{steps}
"#
    );
    let setting = Setting::new(&journey, &site, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let journey = probe.next("journey");
    let (_, rest, _) = probe.stop();
    let mut points = vec![journey];
    points.extend(
        rest.into_iter()
            .filter(|point| point.measurement() == "journey_step"),
    );
    points
}

const COOKIES: &str = r#"
[[step]]
name = "Aceptar galletas"
optional = true
actions = [{ click = "text=Aceptar todo", timeout = "1s" }]
[[step]]
name = "Seguir"
actions = [{ click = "role=button[name='Seguir']" }]
"#;

#[test]
fn a_step_that_is_optional_fails_and_the_journey_goes_on() {
    let points = walk("", COOKIES);
    let [journey, open, cookies, go_on] = &points[..] else {
        panic!("{points:?}");
    };
    assert_eq!(journey.text("result"), Some("ok"), "{}", journey.0);
    assert_eq!(journey.integer("steps_ok"), Some(2));
    assert_eq!(journey.integer("steps_total"), Some(3));
    assert_eq!(journey.text("failed_step"), None);
    assert_eq!(cookies.integer("ok"), Some(0));
    assert_eq!(cookies.float("duration_ms"), None);
    let sum = open.float("duration_ms").unwrap() + go_on.float("duration_ms").unwrap();
    let whole = journey.float("duration_ms").unwrap();
    assert!((whole - sum).abs() < 0.001, "{whole} {sum}");
    assert!(
        go_on.float("duration_ms").unwrap() < 1000.0,
        "what was waited in vain is nobody's: {}",
        go_on.0
    );
}

#[test]
fn the_step_that_failed_is_the_one_that_the_journey_cannot_do_without() {
    let steps = COOKIES.replace("name='Seguir'", "name='Nada'");
    let points = walk(
        "",
        &steps.replace("'Nada']\"", "'Nada']\", timeout = \"1s\""),
    );
    let journey = &points[0];
    assert_eq!(journey.text("result"), Some("failed"));
    assert_eq!(journey.text("failed_step"), Some("Seguir"));
    assert_eq!(points.len(), 4);
}

#[test]
fn an_optional_step_cannot_take_more_than_the_journey_has() {
    let steps = COOKIES.replace("\"1s\"", "\"60s\"");
    let points = walk("", &steps);
    let journey = &points[0];
    assert_eq!(journey.text("result"), Some("failed"), "{}", journey.0);
    assert_eq!(journey.text("error_class"), Some("timeout"));
}

#[test]
fn a_journey_that_takes_longer_than_its_whole_budget_is_slow() {
    let steps = "[[step]]\nname = \"Leer\"\nbudget = \"10s\"\nactions = [{ wait = \"300ms\" }]";
    let within = walk("budget = \"10s\"", steps);
    assert_eq!(within[0].text("result"), Some("ok"), "{}", within[0].0);
    assert_eq!(within[0].float("budget_ms"), Some(10_000.0));
    let over = walk("budget = \"250ms\"", steps);
    assert_eq!(over[0].text("result"), Some("slow"), "{}", over[0].0);
    assert_eq!(over[0].integer("ok"), Some(1));
    assert_eq!(over[2].integer("result_code"), Some(0), "no step by itself");
}
