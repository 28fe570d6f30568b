//! "The robots": whether the probes measure and the sidecar tells, so that silence is never taken for health.

use serde_json::json;

use super::{
    Dashboard, about,
    panel::Panel,
    states,
    table::{self, column},
    text::say,
    variables::{self, Choice},
};

const CHOSEN: &str = "r.probe =~ /^${probe:regex}$/";
const PROBE: &str = "${__field.labels.probe}";
const CHANNEL: &str = "${__field.labels.channel}";

pub fn dashboard() -> Dashboard {
    Dashboard {
        uid: "vigia-robots",
        title: say("The robots", "Los robots"),
        description: say(
            "Whether the probes measure and the alerts arrive: what they could not tell is here, and never counts as working.",
            "Si los robots miden y las alertas llegan: lo que no pudieron saber está aquí, y nunca cuenta como que funciona.",
        ),
        looks_back: "24h",
        variables: vec![
            variables::data_source(),
            variables::tag(
                "probe",
                &say("Probe", "Robot"),
                "r._measurement == \"probe\" or r._measurement == \"journey\"",
                Choice::Several,
            ),
            variables::silent_after(),
        ],
        incidents: None,
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    let lines = |title, description, query: &str, name: &str| {
        Panel::lines(&title, &description, &[about(query, CHOSEN)], name)
            .nothing(&say("No data", "Sin datos"))
            .size(12, 8)
    };
    vec![
        probes(),
        not_measured(),
        silent_journeys(),
        Panel::counts(
            &say("Not measured and missed", "Sin medir y omitidas"),
            &say(
                "Runs in each interval that say nothing about a system.",
                "Ejecuciones de cada intervalo que no dicen nada de un sistema.",
            ),
            about(include_str!("queries/not-measured-over-time.flux"), CHOSEN),
            "${__field.labels.probe}: ${__field.labels.result}",
        )
        .nothing(&say("Every run was measured", "Todas las ejecuciones se midieron"))
        .size(12, 8),
        lines(
            say("Waited for a free slot", "Espera de un lugar libre"),
            say("The longest wait of a run in each interval. It grows before runs are missed.", "La espera más larga de una ejecución en cada intervalo. Crece antes de que se omitan ejecuciones."),
            include_str!("queries/queue-wait.flux"),
            PROBE,
        )
        .unit("ms"),
        lines(
            say("Queue", "Cola"),
            say("Runs that are due and wait, the most in each interval.", "Ejecuciones pendientes que esperan, el máximo de cada intervalo."),
            include_str!("queries/probe-queue.flux"),
            PROBE,
        ),
        Panel::counts(
            &say("Browser starts", "Arranques del navegador"),
            &say(
                "In each interval. A browser is replaced on purpose now and then; many starts mean that it dies.",
                "En cada intervalo. El navegador se reemplaza a propósito cada tanto; muchos arranques significan que muere.",
            ),
            about(include_str!("queries/browser-starts.flux"), CHOSEN),
            PROBE,
        )
        .nothing(&say("None", "Ninguno"))
        .size(12, 8),
        lines(
            say("Memory of the probes", "Memoria de los robots"),
            say("Without the browser's.", "Sin la del navegador."),
            include_str!("queries/probe-memory.flux"),
            PROBE,
        )
        .unit("bytes"),
        lines(
            say("Memory of the browsers", "Memoria de los navegadores"),
            say("All processes of each probe's browser; what they share counts for each.", "Todos los procesos del navegador de cada robot; lo que comparten cuenta en cada uno."),
            include_str!("queries/browser-memory.flux"),
            PROBE,
        )
        .unit("bytes"),
        lines(
            say("Processor pressure", "Presión de procesador"),
            say("How much of the time something waited for a processor: where it is high, durations are the machine's, not the system's.", "Qué parte del tiempo algo esperó un procesador: donde es alta, las duraciones son de la máquina, no del sistema."),
            include_str!("queries/pressure.flux"),
            PROBE,
        )
        .unit("percent"),
        deliveries(),
        blind(),
        lines(
            say("From the run to the channel", "De la ejecución al canal"),
            say("How long the slowest message took in each interval, from the start of the run that it is about to the channel's word that it has it. The runs that a rule waits for are in it.", "Cuánto tardó el mensaje más lento de cada intervalo, desde el comienzo de la ejecución de la que trata hasta la confirmación del canal. Incluye las ejecuciones que una regla espera."),
            include_str!("queries/delivery-latency.flux"),
            CHANNEL,
        )
        .unit("ms"),
    ]
}

fn probes() -> Panel {
    let bytes = |name, heading| column(name, &heading).unit("bytes").width(110);
    let bad = |column: table::Column, color: &str| {
        column.filled(&[(None, "transparent"), (Some(1.0), color)])
    };
    Panel::table(
        &say("Probes", "Robots"),
        &say(
            "Runs, missed, not measured and browser starts are of the time range; the other figures are the last ones. Unreadable: messages of a Chromium that the probe does not know.",
            "Ejecuciones, omitidas, sin medir y arranques son del intervalo; las demás cifras son las últimas. Ilegibles: mensajes de un Chromium que el robot no conoce.",
        ),
        about(include_str!("queries/probes.flux"), CHOSEN),
        &[
            table::probe(),
            table::age("last_heard", &say("Last heard", "Última señal")),
            table::count("journeys", &say("Journeys", "Recorridos")),
            table::count("runs", &say("Runs", "Ejecuciones")),
            bad(table::count("missed", &say("Missed", "Omitidas")), "red"),
            bad(table::count("unmeasured", &say("Not measured", "Sin medir")), "orange"),
            table::count("running", &say("Running", "En curso")),
            table::count("queued", &say("Queued", "En cola")),
            table::count("browser_starts", &say("Browser starts", "Arranques")),
            bad(table::count("unreadable_messages", &say("Unreadable", "Ilegibles")), "orange"),
            bytes("resident_bytes", say("Memory", "Memoria")),
            bytes("browser_resident_bytes", say("Browser's", "Del navegador")),
            column("host", &say("Host", "Equipo")),
        ],
    )
    .nothing(&say("No probe was heard", "No se oyó ningún robot"))
    .size(24, 6)
}

fn not_measured() -> Panel {
    Panel::table(
        &say(
            "What could not be measured, and why",
            "Lo que no se pudo medir, y por qué",
        ),
        &say(
            "Not measured and missed runs of the time range, with the reason of the last one.",
            "Ejecuciones sin medir y omitidas del intervalo, con el motivo de la última.",
        ),
        about(include_str!("queries/not-measured.flux"), CHOSEN),
        &[
            table::state(),
            table::count("runs", &say("Runs", "Ejecuciones")),
            table::journey(),
            table::run_moment("last", &say("Last", "Última")),
            table::error(),
            table::system(),
            table::probe(),
        ],
    )
    .nothing(&say(
        "Every run was measured",
        "Todas las ejecuciones se midieron",
    ))
    .size(14, 8)
}

fn silent_journeys() -> Panel {
    Panel::table(
        &say("Journeys without data", "Recorridos sin datos"),
        &say(
            "Seen in the last 30 days, and no run for longer than the variable \"No data after\" says.",
            "Vistos en los últimos 30 días, y sin ejecuciones desde hace más de lo que dice la variable \"Sin datos tras\".",
        ),
        about(include_str!("queries/silent-journeys.flux"), CHOSEN),
        &[
            table::impact(),
            table::system(),
            table::journey(),
            table::age("last_run", &say("Last run", "Última ejecución")),
            table::probe(),
        ],
    )
    .nothing(&say("All of them were heard", "Se oyeron todos"))
    .size(10, 8)
}

fn deliveries() -> Panel {
    Panel::table(
        &say("Deliveries", "Entregas"),
        &say(
            "What vigia-alert sent in the time range, and how long it took from the start of the run that it is about to the channel's word that it has it.",
            "Lo que vigia-alert envió en el intervalo, y cuánto tardó desde el comienzo de la ejecución de la que trata hasta la confirmación del canal.",
        ),
        about(include_str!("queries/deliveries.flux"), CHOSEN),
        &[
            column("channel", &say("Channel", "Canal")),
            table::count("accepted", &say("Accepted", "Aceptadas")),
            table::count("refused", &say("Refused", "Rechazadas"))
                .filled(&[(None, "transparent"), (Some(1.0), "red")]),
            table::count("attempts", &say("Attempts", "Intentos")),
            table::milliseconds("p50_ms", &say("Median", "Mediana")),
            table::milliseconds("p95_ms", &json!("p95")),
        ],
    )
    .nothing(&say("Nothing was sent", "No se envió nada"))
    .size(12, 8)
}

fn blind() -> Panel {
    Panel::table(
        &say("Blind times of the alerts", "Momentos a ciegas de las alertas"),
        &say(
            "When vigia-alert could not ask InfluxDB, or not one of its rules: nobody was told of anything then, and what was missed is judged afterwards.",
            "Cuando vigia-alert no pudo consultar InfluxDB, o alguna de sus reglas: entonces no se avisó de nada, y lo perdido se juzga después.",
        ),
        about(include_str!("queries/blind-times.flux"), CHOSEN),
        &[
            column("state", &say("State", "Estado")).state(states::of_incident()),
            table::moment("began", &say("Began", "Empezó")),
            table::lasted(),
            column("subject", &say("What", "Qué")).width(150),
            table::error(),
        ],
    )
    .nothing(&say("Never blind", "Nunca a ciegas"))
    .size(12, 8)
}
