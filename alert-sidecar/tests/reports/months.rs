//! Two months of made-up points whose truth is known: October 2026 in Madrid, which has a day of 25 hours, and the September
//! before it. The same points each time.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};

pub const ZONE: &str = "Europe/Madrid";
pub const MONTH: &str = "2026-10";

/// Of a month of 745 hours, 99.9 % leaves this much.
pub const ALLOWED: SignedDuration = SignedDuration::from_secs(2682);

pub const OK: usize = 0;
pub const SLOW: usize = 1;
pub const FAILED: usize = 2;
pub const UNMEASURED: usize = 3;
pub const MISSED: usize = 4;
/// Unmeasured, because of planned work.
pub const PLANNED: usize = 5;

/// What a run looks like from outside.
#[derive(Clone, Copy)]
pub struct Origin {
    pub system: &'static str,
    pub journey: &'static str,
    pub probe: &'static str,
    pub every: SignedDuration,
    /// A tag that the report does not ask for.
    pub host: &'static str,
    pub impact: &'static str,
}

/// The points in line protocol.
#[derive(Default)]
pub struct Points {
    pub lines: Vec<String>,
    dice: u64,
}

/// A moment on the clock of Madrid.
pub fn local(month: i8, day: i8, hour: i8, minute: i8) -> Timestamp {
    date(2026, month, day)
        .at(hour, minute, 0, 0)
        .to_zoned(TimeZone::get(ZONE).unwrap())
        .unwrap()
        .timestamp()
}

impl Points {
    /// A number below this one; the same numbers in each test.
    pub fn dice(&mut self, below: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below
    }

    pub fn run(&mut self, from: Origin, at: Timestamp, outcome: usize, took_ms: f64) {
        let at_ns = at.as_nanosecond();
        let (ok, valid) = (i32::from(outcome < 2), i32::from(outcome < 3));
        let (code, why) = if outcome == PLANNED {
            (UNMEASURED, "maintenance: a new version")
        } else {
            (outcome, "the browser hung")
        };
        let result = ["ok", "slow", "failed", "unmeasured", "missed"][code];
        let Origin {
            system,
            journey,
            probe,
            every,
            host,
            impact,
        } = from;
        let system = system.replace(' ', "\\ ");
        let tags =
            format!("host={host},impact={impact},journey={journey},probe={probe},system={system}");
        let mut line = format!(
            "journey,{tags} ok={ok}i,valid={valid}i,result=\"{result}\",result_code={code}i,every_s={:?}",
            every.as_secs_f64()
        );
        match outcome {
            OK | SLOW => {
                write!(line, ",duration_ms={took_ms:?},run_id=\"r{at_ns}\"").unwrap();
                for (step, share) in [("ingresar", 0.7), ("buscar", 0.3)] {
                    let took_ms = took_ms * share;
                    self.lines.push(format!(
                        "journey_step,{tags},step={step} ok=1i,duration_ms={took_ms:?} {at_ns}"
                    ));
                }
            }
            FAILED => line.push_str(",failed_step=\"Ingresar\",error_class=\"element_missing\",error=\"the text `Bienvenido` did not appear <b>\""),
            UNMEASURED | PLANNED => write!(line, ",error=\"{why}\"").unwrap(),
            _ => line.push_str(",error=\"every slot was taken\""),
        }
        write!(line, " {at_ns}").unwrap();
        self.lines.push(line);
    }

    /// A run in each interval of `from` up to `until`, which came to what `outcome` says of its moment.
    pub fn runs(
        &mut self,
        from: Origin,
        since: Timestamp,
        until: Timestamp,
        outcome: impl Fn(Timestamp) -> Option<usize>,
    ) {
        let mut at = since;
        while at < until {
            if let Some(outcome) = outcome(at) {
                let took_ms = 500.0 + f64::from(u32::try_from(self.dice(700)).unwrap());
                self.run(from, at, outcome, took_ms);
            }
            at += from.every;
        }
    }
}

const EVERY: SignedDuration = SignedDuration::from_mins(10);

fn from(system: &'static str, journey: &'static str, probe: &'static str) -> Origin {
    Origin {
        system,
        journey,
        probe,
        every: EVERY,
        host: "h1",
        impact: "critical",
    }
}

/// Those whose truth is known, and others of which nobody knows it beforehand.
pub fn points() -> Points {
    let mut points = known();
    let (since, until) = (local(10, 1, 0, 0) - EVERY, local(11, 1, 6, 0));
    for (system, probes) in [("azar-uno", 1), ("azar-tres", 3), ("azar-dos", 2)] {
        for journey in ["entrar", "salir"] {
            for probe in ["norte", "sur", "este"].into_iter().take(probes) {
                let origin = Origin {
                    every: EVERY * 2,
                    ..from(system, journey, probe)
                };
                wild(&mut points, origin, [since, until]);
            }
        }
    }
    points
}

/// Those whose truth is known.
pub fn known() -> Points {
    let mut points = Points::default();
    let (september, october, november) =
        (local(9, 1, 0, 0), local(10, 1, 0, 0), local(11, 1, 0, 0));
    let after = november + SignedDuration::from_hours(6);

    // Missed by one second, and met to the second: a failed run, and the next one exactly so much later.
    for (system, down) in [
        ("padron", ALLOWED + SignedDuration::from_secs(1)),
        ("catastro", ALLOWED),
    ] {
        let every = SignedDuration::from_mins(30);
        let from = Origin {
            every,
            ..from(system, "consultar", "sede")
        };
        let broken = local(10, 12, 9, 0);
        points.runs(from, october - every, broken, |_| Some(OK));
        points.run(from, broken, FAILED, 0.0);
        points.run(from, broken + down, OK, 800.0);
        points.runs(from, broken + down + every, november, |_| Some(OK));
    }

    // Two journeys, two probes: both month's edges inside an incident, two journeys that fail at overlapping times, one probe
    // alone, and an hour that nobody measured in the middle of an incident.
    let edges = [
        [local(9, 30, 23, 40), local(10, 1, 0, 30)],
        [local(10, 31, 23, 30), local(11, 1, 1, 0)],
    ];
    for probe in ["sede", "sucursal"] {
        points.runs(
            from("tramites", "consultar", probe),
            september,
            after,
            |at| {
                let failing = [
                    edges[0],
                    edges[1],
                    [local(10, 5, 10, 0), local(10, 5, 11, 0)],
                    [local(10, 20, 8, 0), local(10, 20, 12, 0)],
                ];
                let alone = [[local(10, 8, 10, 0), local(10, 8, 12, 0)]];
                match at {
                    at if within(at, &[[local(10, 20, 9, 0), local(10, 20, 10, 0)]]) => {
                        Some(UNMEASURED)
                    }
                    at if within(at, &failing) => Some(FAILED),
                    at if probe == "sucursal" && within(at, &alone) => Some(FAILED),
                    _ => Some(OK),
                }
            },
        );
        points.runs(
            from("tramites", "presentar", probe),
            september,
            after,
            |at| {
                let failing = [[local(10, 5, 10, 30), local(10, 5, 11, 30)]];
                // The night that clocks are set back: an hour that happens twice.
                let night = [[local(10, 25, 1, 0), local(10, 25, 5, 0)]];
                Some(if within(at, &failing) || within(at, &night) {
                    FAILED
                } else {
                    OK
                })
            },
        );
    }

    unwatched_and_planned(&mut points, september, after);

    // Twice as slow as in September.
    let mut at = september;
    while at < after {
        let took_ms = if at < october { 400.0 } else { 800.0 };
        points.run(from("licencias", "renovar", "sede"), at, OK, took_ms);
        at += EVERY;
    }

    // Of September only.
    points.runs(
        from("archivo", "buscar", "sede"),
        september,
        october - EVERY * 4,
        |_| Some(OK),
    );

    // Runs more often from the middle of the month on, from another host, and matters less.
    let middle = local(10, 15, 12, 0);
    let often = Origin {
        every: SignedDuration::from_mins(4),
        host: "h2",
        impact: "low",
        ..from("correo", "leer", "sede")
    };
    points.runs(from("correo", "leer", "sede"), september, middle, |at| {
        (!within(at, &[[local(10, 2, 1, 0), local(10, 2, 1, 15)]])).then_some(OK)
    });
    points.runs(often, middle, after, |at| {
        (!within(at, &[[local(10, 22, 1, 0), local(10, 22, 1, 15)]])).then_some(OK)
    });
    points
}

/// Two systems of which parts were not watched, or were planned.
fn unwatched_and_planned(points: &mut Points, september: Timestamp, after: Timestamp) {
    // Silent for hours, missed, unmeasured; and a name that markup would take for something else.
    points.runs(
        from("tasas <norte & sur>", "pagar", "sede"),
        september,
        after,
        |at| match at {
            at if within(at, &[[local(10, 3, 0, 0), local(10, 4, 5, 0)]]) => None,
            at if within(at, &[[local(10, 9, 8, 0), local(10, 9, 9, 30)]]) => Some(MISSED),
            at if within(at, &[[local(10, 9, 10, 0), local(10, 9, 10, 40)]]) => Some(UNMEASURED),
            // It fails before, during and after planned work.
            at if within(at, &[[local(10, 14, 2, 0), local(10, 14, 5, 0)]]) => Some(PLANNED),
            at if within(at, &[[local(10, 14, 1, 30), local(10, 14, 5, 20)]]) => Some(FAILED),
            _ => Some(SLOW),
        },
    );

    // It fails before, during and after a window that only the alerts know.
    points.runs(
        from("mesa-de-entrada", "anotar", "sede"),
        september,
        after,
        |at| {
            let is_failing = within(at, &[[local(10, 7, 9, 0), local(10, 7, 11, 0)]]);
            Some(if is_failing { FAILED } else { OK })
        },
    );
}

fn within(at: Timestamp, spans: &[[Timestamp; 2]]) -> bool {
    spans.iter().any(|[from, to]| *from <= at && at < *to)
}

/// Runs at odd moments, with outages and holes.
fn wild(points: &mut Points, from: Origin, [since, until]: [Timestamp; 2]) {
    let mut at = since;
    let mut outcome = OK;
    while at < until {
        let jitter = SignedDuration::from_nanos(i64::try_from(points.dice(9_000_000_000)).unwrap());
        at += from.every + jitter;
        match points.dice(100) {
            0..2 => outcome = FAILED,
            2..4 => outcome = UNMEASURED,
            4..5 => outcome = MISSED,
            5..25 => outcome = OK,
            25..27 => outcome = SLOW,
            27..28 => at += SignedDuration::from_mins(i64::try_from(points.dice(300)).unwrap()),
            _ => {}
        }
        let took_ms = 200.0 + f64::from(u32::try_from(points.dice(4000)).unwrap());
        points.run(from, at, outcome, took_ms);
    }
}
