//! "Is there a problem?": every system now, for the wall and the phone. On a phone Grafana puts the panels under each other,
//! so the most urgent comes first.

use serde_json::json;

use super::{
    Dashboard, about,
    panel::Panel,
    states::{self, GREY, VIOLET},
    table::{self, column},
    text::say,
    variables::{self, Choice},
};

const CHOSEN: &str = "r.system =~ /^${system:regex}$/ and r.impact =~ /^${impact:regex}$/";
const NAME: &str = "${__field.labels.system} / ${__field.labels.journey} (${__field.labels.probe})";
const SYSTEM: &str = "/d/vigia-system?var-system=${__field.labels.system:percentencode}&${ds:queryparam}&${__url_time_range}";

pub fn dashboard() -> Dashboard {
    Dashboard {
        uid: "vigia-systems",
        title: say("Is there a problem?", "¿Hay un problema?"),
        description: say(
            "All systems as their users meet them: now, and over time.",
            "Todos los sistemas tal como los encuentran sus usuarios: ahora y en el tiempo.",
        ),
        looks_back: "24h",
        variables: vec![
            variables::data_source(),
            variables::system(Choice::Several),
            variables::impact(),
            variables::silent_after(),
            variables::artifacts(),
        ],
        incidents: Some(about(
            include_str!("queries/incident-annotations.flux"),
            CHOSEN,
        )),
        panels: vec![
            systems_now(),
            open_incidents_count(),
            open_incidents(),
            changes(),
            journeys_now(),
            Panel::timeline(
                &say("Journeys over time", "Recorridos en el tiempo"),
                &say(
                    "In each interval the worst of the runs that say something about the system; what could not be measured counts only where nothing else is. Grey is silence.",
                    "En cada intervalo la peor de las ejecuciones que dicen algo del sistema; lo que no se pudo medir cuenta solo donde no hay otra cosa. Gris es silencio.",
                ),
                about(include_str!("queries/journeys-over-time.flux"), CHOSEN),
                NAME,
            )
            .nothing(&say("No runs yet", "Aún no hay ejecuciones"))
            .link(&say("Open this system", "Abrir este sistema"), SYSTEM)
            .size(24, 12),
            Panel::lines(
                &say("Duration of completed runs", "Duración de las ejecuciones completas"),
                &say(
                    "The mean in each interval, of runs that were completed, slow ones among them: a failed run has no duration. A line is broken where no run was completed for 15 minutes.",
                    "La media en cada intervalo de las ejecuciones completas, también las lentas: una ejecución que falla no tiene duración. Una línea se corta donde ninguna se completó en 15 minutos.",
                ),
                &[about(include_str!("queries/mean-duration.flux"), CHOSEN)],
                NAME,
            )
            .unit("ms")
            .nothing(&say("No completed runs", "Ninguna ejecución completa"))
            .link(&say("Open this system", "Abrir este sistema"), SYSTEM)
            .size(24, 10),
            incidents(CHOSEN),
        ],
    }
}

fn systems_now() -> Panel {
    Panel::stat(
        &say("Systems now", "Sistemas ahora"),
        &say(
            "How many systems are in which state at the end of the time range. A system is as bad as the worst of its journeys. Not measured: the probe itself could not tell. No data: no run for longer than the variable \"No data after\" says, of a journey seen in the last 30 days.",
            "Cuántos sistemas están en cada estado al final del intervalo. Un sistema está tan mal como el peor de sus recorridos. Sin medir: el propio robot no pudo saberlo. Sin datos: ninguna ejecución desde hace más de lo que dice la variable \"Sin datos tras\", de un recorrido visto en los últimos 30 días.",
        ),
        about(include_str!("queries/systems-now.flux"), CHOSEN),
        &[
            table::how_many("failing", &say("Failing", "Fallan"), "red"),
            table::how_many("slow", &say("Slow", "Lentos"), "orange"),
            table::how_many("working", &say("Working", "Funcionan"), "green"),
            table::how_many("unmeasured", &say("Not measured", "Sin medir"), VIOLET),
            table::how_many("silent", &say("No data", "Sin datos"), VIOLET),
        ],
    )
    .nothing(&say("No runs yet", "Aún no hay ejecuciones"))
    .size(20, 5)
}

fn open_incidents_count() -> Panel {
    Panel::stat(
        &say("Open incidents", "Incidentes abiertos"),
        &say(
            "Incidents that vigia-alert has opened and not yet closed. Without vigia-alert, or before the first incident, there is nothing to count.",
            "Incidentes que vigia-alert abrió y aún no cerró. Sin vigia-alert, o antes del primer incidente, no hay nada que contar.",
        ),
        about(include_str!("queries/open-incidents-count.flux"), CHOSEN),
        &[column("incidents", &say("Open", "Abiertos"))
            .thresholds(&[(None, GREY), (Some(1.0), "red")])],
    )
    .nothing(&say("None recorded", "Ninguno registrado"))
    .value_only()
    .size(4, 5)
}

fn open_incidents() -> Panel {
    Panel::table(
        &say("What users suffer now", "Lo que sufren los usuarios ahora"),
        &say(
            "The open incidents, the most urgent first, with what it is, the step that fails and the journey's last picture; what the monitoring itself suffers is among them. A click on the time opens the first run that failed; its artifacts need the variable \"Artifacts at\".",
            "Los incidentes abiertos, los más urgentes primero, con lo que es, el paso que falla y la última imagen del recorrido; también lo que sufre el propio monitoreo. Un clic en la hora abre la primera ejecución que falló; sus artefactos necesitan la variable \"Artefactos en\".",
        ),
        about(include_str!("queries/open-incidents.flux"), CHOSEN),
        &[
            table::impact(),
            table::system(),
            table::journey(),
            table::run_moment("began", &say("Since", "Desde")),
            table::reason(),
            table::failed_step(),
            table::error(),
            table::picture(),
            table::artifact().width(150),
            table::probe(),
        ],
    )
    .high_rows()
    .nothing(&say("No open incident", "Ningún incidente abierto"))
    .size(24, 7)
}

fn changes() -> Panel {
    let was = column("was", &say("Was", "Antes")).state(states::mappings());
    Panel::table(
        &say("Changed in the last hour", "Cambios en la última hora"),
        &say(
            "Every time that a journey's result turned into another one, the newest first: the last hour of the time range. A click on the time opens the run.",
            "Cada vez que el resultado de un recorrido pasó a ser otro, lo más nuevo primero: la última hora del intervalo. Un clic en la hora abre la ejecución.",
        ),
        about(include_str!("queries/changes.flux"), CHOSEN),
        &[
            table::run_moment("at", &say("When", "Cuándo")),
            was,
            table::state(),
            table::impact(),
            table::system(),
            table::journey(),
            table::failed_step(),
            table::error(),
            table::probe(),
        ],
    )
    .nothing(&say("Nothing changed", "Nada cambió"))
    .size(24, 7)
}

fn journeys_now() -> Panel {
    Panel::table(
        &say("Journeys now", "Recorridos ahora"),
        &say(
            "What is not well comes first, in the order of its impact. Since: when the result turned into what it is, looking back one day; with no data, the last run. Availability: the runs that users could have completed, of those that say something about the system, in the time range; cut off, never rounded up. p95: 95 of 100 completed runs in the time range were this fast or faster. Picture: the last one of a journey that fails.",
            "Lo que no está bien va primero, por orden de impacto. Desde: cuándo el resultado pasó a ser el que es, mirando un día atrás; sin datos, la última ejecución. Disponibilidad: las ejecuciones que los usuarios habrían podido completar, entre las que dicen algo del sistema, en el intervalo; truncada, nunca redondeada hacia arriba. p95: 95 de cada 100 ejecuciones completas tardaron esto o menos. Imagen: la última de un recorrido que falla.",
        ),
        about(include_str!("queries/journeys-now.flux"), CHOSEN),
        &[
            table::state(),
            table::impact(),
            table::system(),
            table::journey(),
            table::moment("since", &say("Since", "Desde"))
                .with("noValue", say("more than a day ago", "hace más de un día")),
            table::failed_step(),
            table::error(),
            table::picture(),
            table::availability(),
            table::milliseconds("p95_ms", &json!("p95")),
            table::age("last_run", &say("Last run", "Última ejecución")),
            table::probe(),
        ],
    )
    .high_rows()
    .nothing(&say("No runs yet", "Aún no hay ejecuciones"))
    .size(24, 12)
}

/// What users suffered, of what is chosen.
pub fn incidents(chosen: &str) -> Panel {
    Panel::table(
        &say("Recent incidents", "Incidentes recientes"),
        &say(
            "What users suffered, from the first failed run to the first good one, as vigia-alert judged it. The newest 100 that reach into the time range; an open one lasts up to the end of the time range.",
            "Lo que sufrieron los usuarios, desde la primera ejecución que falló hasta la primera buena, según lo juzgó vigia-alert. Los 100 más nuevos que llegan al intervalo; uno abierto dura hasta el final del intervalo.",
        ),
        about(include_str!("queries/incidents.flux"), chosen),
        &[
            column("state", &say("State", "Estado")).state(states::of_incident()),
            table::run_moment("began", &say("Began", "Empezó")),
            table::lasted(),
            table::impact(),
            table::system(),
            table::journey(),
            table::failed_step(),
            table::error(),
            table::artifact().width(150),
            table::probe(),
        ],
    )
    .nothing(&say("No incident", "Ningún incidente"))
    .size(24, 9)
}
