//! "A system": its journeys and steps, against their target, their budgets and their own past.

use serde_json::json;

use super::{
    Dashboard, about,
    panel::{Panel, one_run},
    servers,
    states::VIOLET,
    systems,
    table::{self, column},
    text::say,
    variables::{self, Choice},
};

const CHOSEN: &str = "r.system =~ /^${system:regex}$/ and r.journey =~ /^${journey:regex}$/ and r.probe =~ /^${probe:regex}$/";
/// What the system stands on names it in a list.
const STANDS_ON: &str = "r.systems =~ /(^|,)${system:regex}(,|$)/";
const RUN: &str = "/d/vigia-run?var-system=${__field.labels.system:percentencode}&var-journey=${__field.labels.journey:percentencode}&var-probe=${__field.labels.probe:percentencode}&var-at=${__value.time}&${ds:queryparam}&${__url_time_range}";

pub fn dashboard() -> Dashboard {
    Dashboard {
        uid: "vigia-system",
        title: say("A system", "Un sistema"),
        description: say(
            "One system: its availability against its target, its journeys and steps, why they fail, and what it stands on.",
            "Un sistema: su disponibilidad frente al objetivo, sus recorridos y pasos, por qué fallan y sobre qué se apoya.",
        ),
        looks_back: "24h",
        variables: vec![
            variables::data_source(),
            variables::system(Choice::One),
            variables::journey(Choice::Several),
            variables::probe(Choice::Several),
            variables::fixed(
                "target",
                &say("Target, %", "Objetivo, %"),
                &say(
                    "The share of the runs that users have to be able to complete.",
                    "La parte de las ejecuciones que los usuarios deben poder completar.",
                ),
                &["99.99", "99.95", "99.9", "99.5", "99", "98", "95"],
                "99.5",
            ),
            variables::silent_after(),
            variables::artifacts(),
        ],
        incidents: Some(about(
            include_str!("queries/incident-annotations.flux"),
            CHOSEN,
        )),
        panels: vec![
            availability(),
            outcomes(),
            timeline(),
            durations(),
            steps(),
            slowest_steps(),
            failures(),
            failures_over_time(),
            pictures(),
            runs(),
            vitals(),
            largest_paint(),
            by_probe(),
            systems::incidents(CHOSEN),
            servers::services(STANDS_ON),
            servers::certificates(STANDS_ON),
            servers::servers(STANDS_ON),
        ],
    }
}

fn availability() -> Panel {
    let share = |name, heading| column(name, &heading).unit("percentunit").decimals(3);
    Panel::stat(
        &say("Availability against the target", "Disponibilidad frente al objetivo"),
        &say(
            "Availability: the runs that users could have completed, of those that say something about the system; cut off, never rounded up. Allowance left: how much of what the target lets fail in the time range is not used up; below zero the target is missed.",
            "Disponibilidad: las ejecuciones que los usuarios habrían podido completar, entre las que dicen algo del sistema; truncada, nunca redondeada hacia arriba. Margen restante: cuánto de lo que el objetivo permite fallar en el intervalo queda sin usar; bajo cero, el objetivo no se cumple.",
        ),
        about(include_str!("queries/availability.flux"), CHOSEN),
        &[
            share("availability", say("Availability", "Disponibilidad")),
            share("target", say("Target", "Objetivo")),
            column("left", &say("Allowance left", "Margen restante"))
                .unit("percentunit")
                .decimals(0)
                .thresholds(&[(None, "red"), (Some(0.0), "orange"), (Some(0.25), "green")]),
        ],
    )
    .nothing(&say("No runs that say anything", "Ninguna ejecución que diga algo"))
    .size(12, 5)
}

fn outcomes() -> Panel {
    Panel::stat(
        &say("Runs by outcome", "Ejecuciones por resultado"),
        &say(
            "How many runs of the time range came to what. Not measured and missed runs say nothing about the system.",
            "Cuántas ejecuciones del intervalo tuvieron cada resultado. Las que están sin medir y las omitidas no dicen nada del sistema.",
        ),
        about(include_str!("queries/outcomes.flux"), CHOSEN),
        &[
            table::how_many("failed", &say("Failed", "Fallan"), "red"),
            table::how_many("slow", &say("Slow", "Lentas"), "orange"),
            table::how_many("ok", &say("OK", "Bien"), "green"),
            table::how_many("unmeasured", &say("Not measured", "Sin medir"), VIOLET),
            table::how_many("missed", &say("Missed", "Omitidas"), VIOLET),
        ],
    )
    .nothing(&say("No runs", "Ninguna ejecución"))
    .size(12, 5)
}

fn timeline() -> Panel {
    Panel::timeline(
        &say("Journeys over time", "Recorridos en el tiempo"),
        &say(
            "What each run came to; grey is silence. A click opens the run that a state began with. The newest 4,000 changes.",
            "El resultado de cada ejecución; gris es silencio. Un clic abre la ejecución con la que empezó un estado. Los 4000 cambios más nuevos.",
        ),
        about(include_str!("queries/states-of-runs.flux"), CHOSEN),
        "${__field.labels.journey} (${__field.labels.probe})",
    )
    .link(&one_run(), RUN)
    .nothing(&say("No runs", "Ninguna ejecución"))
    .size(24, 6)
}

fn durations() -> Panel {
    let thin = |name, color: &str| {
        vec![
            ("displayName", name),
            ("color", json!({ "mode": "fixed", "fixedColor": color })),
            ("custom.showPoints", json!("never")),
            ("custom.insertNulls", json!(false)),
            (
                "custom.lineStyle",
                json!({ "fill": "dash", "dash": [6, 6] }),
            ),
        ]
    };
    let from = say("Usual, from", "Habitual, desde");
    let mut to = thin(say("Usual, to", "Habitual, hasta"), "blue");
    to.push(("custom.fillBelowTo", from.clone()));
    to.push(("custom.fillOpacity", json!(10)));
    let queries = [
        include_str!("queries/slowest-runs.flux"),
        include_str!("queries/usual-from.flux"),
        include_str!("queries/usual-to.flux"),
        include_str!("queries/budget.flux"),
    ];
    Panel::lines(
        &say("Duration of ${journey}", "Duración de ${journey}"),
        &say(
            "The slowest completed run in each interval, for each probe; a click on a point opens that run. Usual: between what one of 10 runs was faster than and what one of 10 was slower than, in the 7 days before the time range. Budget: the sum of the steps' budgets, where every step has one.",
            "La ejecución completa más lenta de cada intervalo, por robot; un clic en un punto abre esa ejecución. Habitual: entre lo que una de cada 10 tardó menos y lo que una de cada 10 tardó más, en los 7 días anteriores al intervalo. Límite: la suma de los límites de los pasos, si todos lo tienen.",
        ),
        &queries.map(|flux| about(flux, CHOSEN)),
        "${__field.labels.probe}",
    )
    .unit("ms")
    .link(&one_run(), RUN)
    .of_query("B", &thin(from, "blue"))
    .of_query("C", &to)
    .of_query("D", &thin(say("Budget", "Límite"), "orange"))
    .nothing(&say("No completed runs", "Ninguna ejecución completa"))
    .repeated("journey")
    .size(24, 9)
}

fn steps() -> Panel {
    Panel::table(
        &say("Steps", "Pasos"),
        &say(
            "The steps of each journey in their order. Median and p95 of the completed ones; usual is the median of the 7 days before the time range, and change is against it.",
            "Los pasos de cada recorrido en su orden. Mediana y p95 de los completos; habitual es la mediana de los 7 días anteriores al intervalo, y el cambio es frente a ella.",
        ),
        about(include_str!("queries/steps.flux"), CHOSEN),
        &[
            table::journey(),
            table::step(),
            table::count("runs", &say("Runs", "Ejecuciones")),
            table::count("failed", &say("Failed", "Fallan"))
                .filled(&[(None, "transparent"), (Some(1.0), "red")]),
            table::count("slow", &say("Slow", "Lentas"))
                .filled(&[(None, "transparent"), (Some(1.0), "orange")]),
            table::milliseconds("p50_ms", &say("Median", "Mediana")),
            table::milliseconds("p95_ms", &json!("p95")),
            table::milliseconds("budget_ms", &say("Budget", "Límite")),
            table::milliseconds("usual_ms", &say("Usual", "Habitual")),
            column("change", &say("Change", "Cambio"))
                .unit("percentunit")
                .decimals(0)
                .width(100)
                .filled(&[(None, "transparent"), (Some(0.25), "orange"), (Some(1.0), "red")]),
        ],
    )
    .nothing(&say("No steps", "Ningún paso"))
    .size(16, 9)
}

fn slowest_steps() -> Panel {
    Panel::bars(
        &say("Slowest steps", "Pasos más lentos"),
        &say(
            "p95 of the completed ones: 95 of 100 were this fast or faster.",
            "p95 de los completos: 95 de cada 100 tardaron esto o menos.",
        ),
        about(include_str!("queries/slowest-steps.flux"), CHOSEN),
    )
    .unit("ms")
    .nothing(&say("No steps", "Ningún paso"))
    .size(8, 9)
}

fn failures() -> Panel {
    Panel::table(
        &say("Failures by step and reason", "Fallas por paso y motivo"),
        &say(
            "What failed how often in the time range, with the reason of the last time. A click on the time opens that run.",
            "Qué falló cuántas veces en el intervalo, con el motivo de la última vez. Un clic en la hora abre esa ejecución.",
        ),
        about(include_str!("queries/failures.flux"), CHOSEN),
        &[
            table::count("runs", &say("Runs", "Ejecuciones")),
            table::journey(),
            table::failed_step(),
            table::reason(),
            table::run_moment("last", &say("Last", "Última")),
            table::error(),
            table::probe(),
            table::system(),
        ],
    )
    .nothing(&say("Nothing failed", "Nada falló"))
    .size(16, 8)
}

fn failures_over_time() -> Panel {
    Panel::counts(
        &say("Failures over time", "Fallas en el tiempo"),
        &say(
            "Failed runs in each interval, by reason.",
            "Ejecuciones que fallan en cada intervalo, por motivo.",
        ),
        about(include_str!("queries/failures-over-time.flux"), CHOSEN),
        "${__field.labels.error_class}",
    )
    .nothing(&say("Nothing failed", "Nada falló"))
    .size(8, 8)
}

fn pictures() -> Panel {
    Panel::table(
        &say("Last pictures", "Últimas imágenes"),
        &say(
            "The pages as the robots saw them: when a journey turned bad, then once an hour, and when it was well again. A click on the time opens the run with the picture in full.",
            "Las páginas tal como las vieron los robots: cuando un recorrido empezó a fallar, luego una vez por hora, y cuando volvió a estar bien. Un clic en la hora abre la ejecución con la imagen completa.",
        ),
        about(include_str!("queries/pictures.flux"), CHOSEN),
        &[
            table::picture(),
            table::run_moment("at", &say("When", "Cuándo")),
            table::journey(),
            table::failed_step()
                .with("noValue", say("well again", "de nuevo bien")),
            table::probe(),
            table::system(),
        ],
    )
    .high_rows()
    .nothing(&say("No pictures", "Ninguna imagen"))
    .size(12, 9)
}

fn runs() -> Panel {
    Panel::table(
        &say("Last runs", "Últimas ejecuciones"),
        &say(
            "The newest 100 runs. A click on the time opens the run.",
            "Las 100 ejecuciones más nuevas. Un clic en la hora abre la ejecución.",
        ),
        about(include_str!("queries/runs.flux"), CHOSEN),
        &[
            table::run_moment("at", &say("When", "Cuándo")),
            table::state(),
            table::journey(),
            table::milliseconds("duration_ms", &say("Duration", "Duración")),
            table::failed_step(),
            table::error(),
            table::probe(),
            table::system(),
        ],
    )
    .nothing(&say("No runs", "Ninguna ejecución"))
    .size(12, 9)
}

fn vitals() -> Panel {
    let vital = |name, heading: &str, unit: &str, good: f64, poor: f64| {
        column(name, &json!(heading))
            .unit(unit)
            .width(100)
            .filled(&[(None, "green"), (Some(good), "orange"), (Some(poor), "red")])
    };
    Panel::table(
        &say("Web vitals", "Métricas web"),
        &say(
            "Of the documents that each step loaded, what 75 of 100 are not worse than. Time to the first byte, to the first and to the largest text or picture, how much of the window moved unasked, and from an input to the next frame; coloured by the limits that are published for them.",
            "De los documentos que cargó cada paso, aquello que 75 de cada 100 no superan. Tiempo hasta el primer byte, hasta el primer y hasta el mayor texto o imagen, cuánto de la ventana se movió sin pedirlo, y desde una entrada hasta el siguiente cuadro; coloreado según los límites publicados para ellas.",
        ),
        about(include_str!("queries/vitals.flux"), CHOSEN),
        &[
            table::journey(),
            table::step(),
            vital("ttfb_ms", "TTFB", "ms", 800.0, 1800.0).decimals(0),
            vital("fcp_ms", "FCP", "ms", 1800.0, 3000.0).decimals(0),
            vital("lcp_ms", "LCP", "ms", 2500.0, 4000.0).decimals(0),
            vital("cls", "CLS", "none", 0.1, 0.25).decimals(3),
            vital("inp_ms", "INP", "ms", 200.0, 500.0).decimals(0),
        ],
    )
    .nothing(&say("No documents", "Ningún documento"))
    .size(12, 8)
}

fn largest_paint() -> Panel {
    Panel::lines(
        &say("Largest text or picture (LCP)", "Mayor texto o imagen (LCP)"),
        &say(
            "How long until the largest text or picture of each step's documents was painted, the mean in each interval.",
            "Cuánto tardó en pintarse el mayor texto o imagen de los documentos de cada paso, la media en cada intervalo.",
        ),
        &[about(include_str!("queries/largest-paint.flux"), CHOSEN)],
        "${__field.labels.journey}: ${__field.labels.step}",
    )
    .unit("ms")
    .nothing(&say("No documents", "Ningún documento"))
    .size(12, 8)
}

fn by_probe() -> Panel {
    Panel::table(
        &say("By probe", "Por robot"),
        &say(
            "The same journeys seen from each place: where only one of them fails, its own network may be the reason.",
            "Los mismos recorridos vistos desde cada lugar: donde solo uno falla, su propia red puede ser el motivo.",
        ),
        about(include_str!("queries/by-probe.flux"), CHOSEN),
        &[
            table::probe(),
            table::count("runs", &say("Runs", "Ejecuciones")),
            table::availability(),
            table::milliseconds("p50_ms", &say("Median", "Mediana")),
            table::milliseconds("p95_ms", &json!("p95")),
        ],
    )
    .nothing(&say("No runs that say anything", "Ninguna ejecución que diga algo"))
    .size(24, 6)
}
