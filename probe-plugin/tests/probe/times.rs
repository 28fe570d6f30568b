//! A step's time is what a user waits. Only lower bounds are held against it: a busy machine makes everything longer.
//! How close it comes is what `vigia-accuracy` prints.

use crate::site::{Reply, journey, serve, walk_journey};

fn step(name: &str, actions: &str) -> String {
    format!("[[step]]\nname = \"{name}\"\nactions = [{actions}]\n")
}

#[test]
fn a_page_that_hands_over_by_script_is_timed_from_the_first_document_on() {
    let site = serve(|path| match path {
        "/" => Reply::Page(600, "<script>location.replace('/destino')</script>".into()),
        _ => Reply::Page(600, "<h1>Llegada</h1>".into()),
    });
    let (run, _) = walk_journey(&site, &journey(r#"{ goto = "${portal}/" }"#));
    let took_ms = run.steps[0].float("duration_ms").unwrap();
    assert!(took_ms >= 1200.0, "{took_ms}");
}

#[test]
fn what_comes_after_a_step_belongs_to_the_step_that_waits_for_it() {
    let site = serve(|_| {
        Reply::page(
            "<button onclick=\"setTimeout(() => o.textContent = 'Listo', 900)\">Ir</button><p id=o></p>",
        )
    });
    let journey = journey(r#"{ goto = "${portal}/" }"#)
        + &step("Pedir", r#"{ click = "text=Ir" }"#)
        + &step("Recibir", r#"{ expect = { text = "Listo" } }"#);
    let (run, _) = walk_journey(&site, &journey);
    let took_ms = |index: usize| run.steps[index].float("duration_ms").unwrap();
    // The beginning is the input's: a timer of the page's own clock cannot be shorter.
    assert!(
        took_ms(1) + took_ms(2) >= 900.0,
        "{} {}",
        took_ms(1),
        took_ms(2)
    );
    assert!(took_ms(1) < took_ms(2), "{} {}", took_ms(1), took_ms(2));
}

#[test]
fn a_listener_that_computes_is_in_the_time_of_its_click() {
    let site = serve(|_| {
        Reply::page(
            "<button onclick='const end = performance.now() + 400; while (performance.now() < end);'>Ir</button>",
        )
    });
    let journey = journey(r#"{ goto = "${portal}/" }"#) + &step("Ir", r#"{ click = "text=Ir" }"#);
    let (run, _) = walk_journey(&site, &journey);
    let took_ms = run.steps[1].float("duration_ms").unwrap();
    assert!(took_ms >= 400.0, "{took_ms}");
}

#[test]
fn what_was_there_before_is_waited_for_by_nobody() {
    let site = serve(|_| Reply::page("<h1>Inicio</h1>"));
    let journey = journey(r#"{ goto = "${portal}/" }"#)
        + &step("Mirar", r#"{ expect = { text = "Inicio" } }"#);
    let (run, _) = walk_journey(&site, &journey);
    let took = run.steps[1].float("duration_ms").map(|ms| format!("{ms}"));
    assert_eq!(took.as_deref(), Some("0"));
}
