//! What a person can choose at the top of a dashboard, and links carry from one to the next.

use serde_json::{Value, json};

use super::{panel::datasource, text::say};

/// How many of its values can be chosen at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    One,
    Several,
}

/// The data source, so that the dashboards fit any installation.
pub fn data_source() -> Value {
    json!({
        "type": "datasource",
        "name": "ds",
        "label": say("Data source", "Fuente de datos"),
        "description": say("The InfluxDB, with Flux, that the journeys are written to.", "El InfluxDB, con Flux, en el que se escriben los recorridos."),
        "hide": 0,
        "skipUrlSync": false,
        "query": "influxdb",
        "regex": "",
        "refresh": 1,
        "multi": false,
        "includeAll": false,
        "options": [],
        "current": {},
    })
}

/// The values of a tag in the last 30 days; `predicate` is Flux, and may name variables above it.
pub fn tag(name: &str, label: &Value, predicate: &str, choice: Choice) -> Value {
    let query = format!(
        "import \"influxdata/influxdb/schema\"\n\nschema.tagValues(bucket: v.defaultBucket, tag: \"{name}\", predicate: (r) => {predicate}, start: -30d)"
    );
    let several = choice == Choice::Several;
    let all = json!({ "selected": true, "text": ["All"], "value": ["$__all"] });
    json!({
        "type": "query",
        "name": name,
        "label": label,
        "hide": 0,
        "skipUrlSync": false,
        "datasource": datasource(),
        "query": query,
        "definition": query,
        "regex": "",
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "options": [],
        "current": if several { all } else { json!({}) },
    })
}

/// One of a fixed list; the `chosen` one stands there at first.
pub fn fixed(
    name: &str,
    label: &Value,
    description: &Value,
    values: &[&str],
    chosen: &str,
) -> Value {
    let options: Vec<Value> = values
        .iter()
        .map(|value| json!({ "selected": *value == chosen, "text": value, "value": value }))
        .collect();
    json!({
        "type": "custom",
        "name": name,
        "label": label,
        "description": description,
        "hide": 0,
        "skipUrlSync": false,
        "query": values.join(","),
        "options": options,
        "multi": false,
        "includeAll": false,
        "current": { "selected": true, "text": chosen, "value": chosen },
    })
}

/// How much a system matters.
pub fn impact() -> Value {
    let all = json!({ "selected": true, "text": "All", "value": "$__all" });
    let values = ["critical", "high", "low"]
        .map(|value| json!({ "selected": false, "text": value, "value": value }));
    let options = [vec![all], values.to_vec()].concat();
    json!({
        "type": "custom",
        "name": "impact",
        "label": say("Impact", "Impacto"),
        "description": say("How much a system matters.", "Cuánto importa un sistema."),
        "hide": 0,
        "skipUrlSync": false,
        "query": "critical,high,low",
        "options": options,
        "multi": true,
        "includeAll": true,
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
    })
}

/// How long after its last run a journey has no data.
pub fn silent_after() -> Value {
    fixed(
        "silent_after",
        &say("No data after", "Sin datos tras"),
        &say(
            "How long after its last run a journey has no data. Longer than the longest \"every\" of the journeys shown.",
            "Cuánto después de su última ejecución un recorrido está sin datos. Más que el \"every\" más largo de los recorridos mostrados.",
        ),
        &["5m", "15m", "1h", "6h", "1d"],
        "15m",
    )
}

/// A text that a person, or a link, gives.
pub fn free(name: &str, label: &Value, description: &Value) -> Value {
    json!({
        "type": "textbox",
        "name": name,
        "label": label,
        "description": description,
        "hide": 0,
        "skipUrlSync": false,
        "query": "",
        "options": [{ "selected": true, "text": "", "value": "" }],
        "current": { "selected": true, "text": "", "value": "" },
    })
}

/// Where what [`super::table::artifact`] names is served.
pub fn artifacts() -> Value {
    free(
        "artifacts",
        &say("Artifacts at", "Artefactos en"),
        &say(
            "The address that the artifact folder of the probe is served at, such as https://vigia.example/artifacts. Empty where it is not served.",
            "La dirección en la que se sirve la carpeta de artefactos del robot, por ejemplo https://vigia.example/artifacts. Vacío si no se sirve.",
        ),
    )
}

/// A value that a query finds and that panels use, unseen and in no address.
pub fn found(name: &str, query: &str) -> Value {
    json!({
        "type": "query",
        "name": name,
        "label": name,
        "hide": 2,
        "skipUrlSync": true,
        "datasource": datasource(),
        "query": query,
        "definition": query,
        "regex": "",
        "refresh": 2,
        "sort": 0,
        "multi": false,
        "includeAll": false,
        "options": [],
        "current": {},
    })
}

/// The journeys' system, one or several.
pub fn system(choice: Choice) -> Value {
    tag(
        "system",
        &say("System", "Sistema"),
        "r._measurement == \"journey\"",
        choice,
    )
}

/// The journeys of the chosen system.
pub fn journey(choice: Choice) -> Value {
    tag(
        "journey",
        &say("Journey", "Recorrido"),
        "r._measurement == \"journey\" and r.system =~ /^${system:regex}$/",
        choice,
    )
}

/// The probes that watch the chosen system.
pub fn probe(choice: Choice) -> Value {
    tag(
        "probe",
        &say("Probe", "Robot"),
        "r._measurement == \"journey\" and r.system =~ /^${system:regex}$/",
        choice,
    )
}
