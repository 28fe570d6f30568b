//! Columns of tables and values of stats: their headings, order, units, colours and links.

use serde_json::{Map, Value, json};

use super::{
    panel::steps,
    states::{self, GREY},
    text::say,
};

/// Where a run is looked at: the row's own system, journey and probe, and the clicked time in milliseconds since 1970.
const RUN: &str = "/d/vigia-run?var-system=${__data.fields.system:percentencode}&var-journey=${__data.fields.journey:percentencode}&var-probe=${__data.fields.probe:percentencode}&var-at=${__value.raw}&${ds:queryparam}&${__url_time_range}";
const SYSTEM: &str =
    "/d/vigia-system?var-system=${__value.raw:percentencode}&${ds:queryparam}&${__url_time_range}";

/// A column of the query's answer and how it is shown.
#[derive(Clone)]
pub struct Column {
    name: &'static str,
    properties: Vec<Value>,
}

/// A column of texts or numbers as they are.
pub fn column(name: &'static str, heading: &Value) -> Column {
    Column {
        name,
        properties: Vec::new(),
    }
    .with("displayName", heading.clone())
}

impl Column {
    /// Any property of Grafana's.
    pub fn with(mut self, id: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.properties.push(json!({ "id": id, "value": value }));
        self
    }

    pub fn unit(self, unit: &str) -> Self {
        self.with("unit", json!(unit))
    }

    pub fn decimals(self, decimals: u8) -> Self {
        self.with("decimals", json!(decimals))
    }

    /// Pixels.
    pub fn width(self, width: u16) -> Self {
        self.with("custom.width", json!(width))
    }

    /// Colours from their values up, in a stat.
    pub fn thresholds(self, of: &[(Option<f64>, &str)]) -> Self {
        self.with("thresholds", steps(of))
    }

    /// Colours from their values up, in a table: the cell is filled with them.
    pub fn filled(self, of: &[(Option<f64>, &str)]) -> Self {
        self.thresholds(of).with(
            "custom.cellOptions",
            json!({ "type": "color-background", "mode": "basic" }),
        )
    }

    /// A state, in words and filled with its colour.
    pub fn state(self, mappings: Value) -> Self {
        self.with("mappings", mappings)
            .with(
                "custom.cellOptions",
                json!({ "type": "color-background", "mode": "basic" }),
            )
            .width(120)
    }

    pub fn link(self, title: &Value, url: &str) -> Self {
        self.with("links", json!([{ "title": title, "url": url }]))
    }
}

/// The properties of all columns.
pub fn overrides(columns: &[Column]) -> Value {
    columns
        .iter()
        .map(|column| {
            json!({
                "matcher": { "id": "byName", "options": column.name },
                "properties": column.properties,
            })
        })
        .collect()
}

/// Columns come from InfluxDB in any order.
pub fn order(columns: &[Column]) -> Value {
    let order: Map<String, Value> = (0..)
        .zip(columns)
        .map(|(index, column): (u64, _)| (column.name.to_owned(), json!(index)))
        .collect();
    json!([{
        "id": "organize",
        "options": {
            "excludeByName": {},
            "includeByName": {},
            "indexByName": order,
            "renameByName": {},
        },
    }])
}

pub fn state() -> Column {
    column("state", &say("State", "Estado")).state(states::mappings())
}

pub fn impact() -> Column {
    column("impact", &say("Impact", "Impacto")).width(90)
}

/// Leads to the system's own dashboard.
pub fn system() -> Column {
    column("system", &say("System", "Sistema"))
        .link(&say("Open ${__value.raw}", "Abrir ${__value.raw}"), SYSTEM)
        .width(160)
}

pub fn journey() -> Column {
    column("journey", &say("Journey", "Recorrido")).width(190)
}

pub fn probe() -> Column {
    column("probe", &say("Probe", "Robot")).width(130)
}

pub fn step() -> Column {
    column("step", &say("Step", "Paso")).width(200)
}

/// The class of the error, or what an incident is about where no journey failed.
pub fn reason() -> Column {
    column("error_class", &say("Reason", "Motivo")).width(150)
}

pub fn failed_step() -> Column {
    column("failed_step", &say("Failed step", "Paso que falla")).width(150)
}

pub fn error() -> Column {
    column("error", &say("Error", "Error")).with("custom.inspect", json!(true))
}

/// The picture that rides in the point, as a thumbnail.
pub fn picture() -> Column {
    column("picture", &say("Picture", "Imagen"))
        .with("noValue", json!(""))
        .with(
            "custom.cellOptions",
            json!({ "type": "image", "alt": say("the page as the robot saw it", "la página tal como la vio el robot") }),
        )
        .width(110)
}

/// The key of a run's artifacts, which leads to them where they are served. The dashboard has [`super::variables::artifacts`].
pub fn artifact() -> Column {
    column("artifact", &say("Artifacts", "Artefactos")).link(
        &say("Open the artifacts", "Abrir los artefactos"),
        "${artifacts}/${__value.raw}",
    )
}

/// A moment, in the reader's own time.
pub fn moment(name: &'static str, heading: &Value) -> Column {
    column(name, heading).unit("dateTimeAsLocal").width(170)
}

/// The moment of a run, which leads to it. The row has its system, journey and probe.
pub fn run_moment(name: &'static str, heading: &Value) -> Column {
    moment(name, heading).link(&super::panel::one_run(), RUN)
}

/// How long an incident lasted.
pub fn lasted() -> Column {
    column("duration_s", &say("Lasted", "Duró"))
        .unit("dtdurations")
        .width(150)
}

/// How long ago.
pub fn age(name: &'static str, heading: &Value) -> Column {
    column(name, heading).unit("dateTimeFromNow").width(130)
}

pub fn milliseconds(name: &'static str, heading: &Value) -> Column {
    column(name, heading).unit("ms").decimals(0).width(110)
}

pub fn count(name: &'static str, heading: &Value) -> Column {
    column(name, heading).decimals(0).width(100)
}

/// How many there are of what is well or `bad`: none of it is grey.
pub fn how_many(name: &'static str, heading: &Value, bad: &str) -> Column {
    column(name, heading)
        .decimals(0)
        .thresholds(&[(None, GREY), (Some(1.0), bad)])
}

/// A share that was cut off by its query, and is not rounded up here either.
pub fn availability() -> Column {
    column("availability", &say("Availability", "Disponibilidad"))
        .unit("percentunit")
        .decimals(2)
        .width(120)
}
