//! "A run": one run of a journey, reached from any point or row of the others: its steps, its reason, its picture.

use serde_json::json;

use super::{
    Dashboard, about,
    panel::Panel,
    states,
    table::{self, column},
    text::say,
    variables::{self, Choice},
};

const CHOSEN: &str = "r.system =~ /^${system:regex}$/ and r.journey =~ /^${journey:regex}$/ and r.probe =~ /^${probe:regex}$/";

pub fn dashboard() -> Dashboard {
    Dashboard {
        uid: "vigia-run",
        title: say("A run", "Una ejecución"),
        description: say(
            "One run of a journey: its steps, why it failed, the page as the robot saw it. Opened from a point or a row of the other dashboards; without a moment it is the last run of the time range.",
            "Una ejecución de un recorrido: sus pasos, por qué falló, la página tal como la vio el robot. Se abre desde un punto o una fila de los otros tableros; sin momento, es la última ejecución del intervalo.",
        ),
        looks_back: "24h",
        variables: vec![
            variables::data_source(),
            variables::system(Choice::One),
            variables::journey(Choice::One),
            variables::probe(Choice::One),
            variables::free(
                "at",
                &say("Moment", "Momento"),
                &say(
                    "The start of the run, in milliseconds since 1970, as links give it. Empty: the last run of the time range.",
                    "El comienzo de la ejecución, en milisegundos desde 1970, como lo dan los enlaces. Vacío: la última ejecución del intervalo.",
                ),
            ),
            variables::artifacts(),
            variables::found(
                "picture",
                &about(include_str!("queries/run-picture.flux"), CHOSEN),
            ),
        ],
        incidents: None,
        panels: vec![
            run(),
            reason(),
            waterfall(),
            picture(),
            steps(),
            documents(),
        ],
    }
}

fn run() -> Panel {
    Panel::table(
        &say("The run", "La ejecución"),
        &say(
            "What it came to. A failed run has no duration. Waited: for a free slot of the probe.",
            "Su resultado. Una ejecución que falla no tiene duración. Esperó: un lugar libre del robot.",
        ),
        about(include_str!("queries/run.flux"), CHOSEN),
        &[
            table::state(),
            table::moment("at", &say("Started", "Empezó")),
            table::milliseconds("duration_ms", &say("Duration", "Duración")),
            table::count("steps_ok", &say("Steps done", "Pasos hechos")),
            table::count("steps_total", &say("of", "de")),
            table::count("http_status", &json!("HTTP")),
            table::count("attempts", &say("Attempts", "Intentos")),
            table::milliseconds("queued_ms", &say("Waited", "Esperó")),
            table::probe(),
        ],
    )
    .nothing(&say("No run here", "Ninguna ejecución aquí"))
    .size(24, 4)
}

fn reason() -> Panel {
    Panel::table(
        &say("Reason and artifacts", "Motivo y artefactos"),
        &say(
            "The step that failed and the reason. Stood in: selectors that had to be used instead of those that are meant. Artifacts: where the screenshot, the page and the console lie in the probe's artifact folder; the link needs the variable \"Artifacts at\".",
            "El paso que falló y el motivo. Sustituciones: selectores que se usaron en lugar de los previstos. Artefactos: dónde están la captura, la página y la consola en la carpeta de artefactos del robot; el enlace necesita la variable \"Artefactos en\".",
        ),
        about(include_str!("queries/run-reason.flux"), CHOSEN),
        &[
            table::failed_step(),
            table::reason(),
            table::error(),
            column("url", &say("Page", "Página"))
                .link(&say("Open ${__value.raw}", "Abrir ${__value.raw}"), "${__value.raw}"),
            column("drift", &say("Stood in", "Sustituciones")),
            table::artifact(),
            column("run_id", &say("Run", "Ejecución")),
        ],
    )
    .nothing(&say("No run here", "Ninguna ejecución aquí"))
    .size(24, 4)
}

fn waterfall() -> Panel {
    let bar = |name, heading, color: &str| {
        column(name, &heading)
            .unit("ms")
            .with("color", json!({ "mode": "fixed", "fixedColor": color }))
    };
    let before = bar("before_ms", say("Before it", "Antes"), "transparent").with(
        "custom.hideFrom",
        json!({ "legend": true, "tooltip": true, "viz": false }),
    );
    Panel::waterfall(
        &say("Steps as a waterfall", "Pasos en cascada"),
        &say(
            "Each step from when the one before it was done. A step that failed, or that could not be measured, has no bar.",
            "Cada paso desde que terminó el anterior. Un paso que falló o que no se pudo medir no tiene barra.",
        ),
        about(include_str!("queries/waterfall.flux"), CHOSEN),
        "step",
        &[
            column("step", &say("Step", "Paso")),
            before,
            bar("ok_ms", say("Inside its budget", "Dentro del límite"), "green"),
            bar("slow_ms", say("Over its budget", "Sobre el límite"), "orange"),
        ],
    )
    .unit("ms")
    .nothing(&say("No steps", "Ningún paso"))
    .size(12, 10)
}

fn picture() -> Panel {
    Panel::html(
        &say("The page as the robot saw it", "La página tal como la vio el robot"),
        &say(
            "The picture of this run, where one was kept: when a journey turns bad, then once an hour, and when it is well again.",
            "La imagen de esta ejecución, si se guardó: cuando un recorrido empieza a fallar, luego una vez por hora, y cuando vuelve a estar bien.",
        ),
        &say(
            "<img src=\"${picture}\" alt=\"No picture of this run\" style=\"width:100%\">",
            "<img src=\"${picture}\" alt=\"Sin imagen de esta ejecución\" style=\"width:100%\">",
        ),
    )
    .size(12, 10)
}

fn steps() -> Panel {
    Panel::table(
        &say("Steps", "Pasos"),
        &say(
            "What became of each step that the run reached.",
            "Qué fue de cada paso al que llegó la ejecución.",
        ),
        about(include_str!("queries/run-steps.flux"), CHOSEN),
        &[
            table::count("number", &say("Number", "Número")),
            table::step(),
            column("state", &say("State", "Estado")).state(states::mappings()),
            table::milliseconds("duration_ms", &say("Duration", "Duración")),
            table::milliseconds("budget_ms", &say("Budget", "Límite")),
        ],
    )
    .nothing(&say("No steps", "Ningún paso"))
    .size(24, 7)
}

fn documents() -> Panel {
    let bytes = column("transferred_bytes", &say("Transferred", "Transferido"))
        .unit("bytes")
        .width(110);
    Panel::table(
        &say("Documents", "Documentos"),
        &say(
            "Every document that the run loaded, by the browser's own figures: to the first byte, to the first and the largest text or picture, moved unasked, from an input to the next frame, to everything loaded.",
            "Cada documento que cargó la ejecución, según las cifras del propio navegador: hasta el primer byte, hasta el primer y el mayor texto o imagen, movido sin pedirlo, desde una entrada hasta el siguiente cuadro, hasta todo cargado.",
        ),
        about(include_str!("queries/run-pages.flux"), CHOSEN),
        &[
            table::step(),
            column("url", &say("Page", "Página")),
            table::count("http_status", &json!("HTTP")),
            table::milliseconds("ttfb_ms", &json!("TTFB")),
            table::milliseconds("fcp_ms", &json!("FCP")),
            table::milliseconds("lcp_ms", &json!("LCP")),
            column("cls", &json!("CLS")).decimals(3).width(90),
            table::milliseconds("inp_ms", &json!("INP")),
            table::milliseconds("load_ms", &say("Loaded", "Cargado")),
            table::count("requests", &say("Requests", "Pedidos")),
            table::count("failed_requests", &say("Failed", "Fallan"))
                .filled(&[(None, "transparent"), (Some(1.0), "red")]),
            bytes,
            table::count("console_errors", &say("Console errors", "Errores de consola"))
                .filled(&[(None, "transparent"), (Some(1.0), "orange")]),
        ],
    )
    .nothing(&say("No documents", "Ningún documento"))
    .size(24, 7)
}
