//! An hour of an agency, a run a minute: a journey for each state that a dashboard has to tell apart.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::{Impact, Outcome, field, measurement};

/// A name with everything that a regular expression would take for something else.
pub const AWKWARD: &str = "tasas/2026 (norte.sur)";
/// Every system that was seen in the last 30 days.
pub const SYSTEMS: [&str; 7] = [
    "archivo", "censo", "correo", "registro", AWKWARD, "tramites", "turnos",
];
/// The probe that saw it.
pub const PROBE: &str = "sede-central";
/// What the failing journey's picture is.
pub const PICTURE: &str = "data:image/jpeg;base64,/9j/AAAA";

/// The points, as both programs write them, around a moment that lies on a full minute.
pub fn points(now: Timestamp) -> String {
    let mut lines = String::new();
    for minutes in 0..=60_u8 {
        let at = ago(now, minutes.into());
        let mut run = |system, journey, impact, outcome, duration_ms: Option<f64>| {
            lines.push_str(&run_line(system, journey, impact, outcome, duration_ms, at));
        };
        run(
            AWKWARD,
            "pagar",
            Impact::Critical,
            Outcome::Ok,
            Some(100.0 + f64::from(minutes)),
        );
        if minutes > 10 {
            run(
                "tramites",
                "consultar",
                Impact::Critical,
                Outcome::Ok,
                Some(500.0),
            );
        } else {
            run(
                "tramites",
                "consultar",
                Impact::Critical,
                Outcome::Failed,
                None,
            );
        }
        if minutes < 5 {
            run("correo", "leer", Impact::High, Outcome::Slow, Some(3000.0));
        } else {
            run("correo", "leer", Impact::High, Outcome::Ok, Some(900.0));
        }
        if minutes < 3 {
            run("archivo", "buscar", Impact::Low, Outcome::Unmeasured, None);
        } else {
            run("archivo", "buscar", Impact::Low, Outcome::Ok, Some(200.0));
        }
        if minutes < 2 {
            run("turnos", "reservar", Impact::Low, Outcome::Missed, None);
        } else {
            run("turnos", "reservar", Impact::Low, Outcome::Ok, Some(10.0));
        }
        // Silent for the last half hour.
        if minutes > 30 {
            run("censo", "consultar", Impact::High, Outcome::Ok, Some(50.0));
        }
    }
    // Silent for three days: in no time range of hours, and still not to be forgotten.
    for hours in [3 * 24, 3 * 24 + 5] {
        let at = ago(now, hours * 60);
        lines.push_str(&run_line(
            "registro",
            "ver",
            Impact::Low,
            Outcome::Ok,
            Some(10.0),
            at,
        ));
    }

    let (failed, good) = (ago(now, 10).as_nanosecond(), ago(now, 50).as_nanosecond());
    let screenshot = measurement::JOURNEY_SCREENSHOT;
    let incident = measurement::JOURNEY_INCIDENT;
    let ended = ago(now, 120).as_nanosecond();
    let began = ago(now, 180).as_nanosecond();
    let tramites = format!("system=tramites,journey=consultar,probe={PROBE},impact=critical");
    let correo = format!("system=correo,journey=leer,probe={PROBE},impact=high");
    writeln!(
        lines,
        "{screenshot},{tramites},host=h1 image=\"{PICTURE}\",run_id=\"r1\",failed_step=\"Ingresar\" {failed}\n\
         {screenshot},{correo},host=h1 image=\"data:image/jpeg;base64,old\",run_id=\"r0\" {good}\n\
         {incident},{tramites} state=\"open\",duration_s=0.2,incident_id=\"i2\",rule=\"journeys-failed\",failed_step=\"Ingresar\",error=\"no text `Bienvenido`\",artifact=\"tramites/consultar/r1\" {failed}\n\
         {incident},{correo} state=\"closed\",duration_s=3600.0,end_ns={ended}i,incident_id=\"i1\",rule=\"journeys-failed\" {began}",
    )
    .unwrap();
    lines
}

fn run_line(
    system: &str,
    journey: &str,
    impact: Impact,
    outcome: Outcome,
    duration_ms: Option<f64>,
    at: Timestamp,
) -> String {
    let tag = system.replace(' ', "\\ ");
    let (ok, valid) = (i64::from(outcome.is_ok()), i64::from(outcome.is_valid()));
    let mut line = format!(
        "{},system={tag},journey={journey},probe={PROBE},impact={impact},host=h1 {}={ok}i,{}={valid}i,{}=\"{}\",{}={}i",
        measurement::JOURNEY,
        field::OK,
        field::VALID,
        field::RESULT,
        outcome.name(),
        field::RESULT_CODE,
        outcome.code(),
    );
    if let Some(duration_ms) = duration_ms {
        write!(line, ",{}={duration_ms:?}", field::DURATION_MS).unwrap();
    }
    if outcome == Outcome::Failed {
        let (step, error) = (field::FAILED_STEP, field::ERROR);
        write!(
            line,
            ",{step}=\"Ingresar\",{error}=\"no text `Bienvenido`\""
        )
        .unwrap();
    }
    writeln!(line, " {}", at.as_nanosecond()).unwrap();
    line
}

/// So many minutes before.
pub fn ago(now: Timestamp, minutes: i64) -> Timestamp {
    now - SignedDuration::from_mins(minutes)
}
