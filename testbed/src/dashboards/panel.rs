//! Panels: what all of them have, and the kinds that are used. Sizes are in Grafana's grid of 24 columns.

use serde_json::{Value, json};

use super::{
    states::{self, GREY},
    table::{self, Column},
    text::say,
};

/// Grafana's grid.
const COLUMNS: u64 = 24;

/// A panel without a place: [`laid_out`] gives it one.
#[derive(Clone)]
pub struct Panel(Value);

/// The data source that the reader has chosen.
pub fn datasource() -> Value {
    json!({ "type": "influxdb", "uid": "${ds}" })
}

/// Side by side as they come, the next line under the highest of the one before.
pub fn laid_out(panels: &[Panel]) -> Value {
    let (mut x, mut y, mut line_height) = (0, 0, 0);
    let mut placed = Vec::new();
    for (id, panel) in (1..).zip(panels) {
        let mut json = panel.0.clone();
        let size = |name: &str| json["gridPos"][name].as_u64().unwrap_or_default();
        let (width, height) = (size("w"), size("h"));
        if x + width > COLUMNS {
            (x, y, line_height) = (0, y + line_height, 0);
        }
        json["id"] = json!(id);
        json["gridPos"] = json!({ "x": x, "y": y, "w": width, "h": height });
        x += width;
        line_height = line_height.max(height);
        placed.push(json);
    }
    Value::Array(placed)
}

impl Panel {
    fn new(kind: &str, title: &Value, description: &Value, queries: &[String]) -> Self {
        let targets: Vec<Value> = ('A'..)
            .zip(queries)
            .map(|(id, query)| {
                json!({ "datasource": datasource(), "refId": id.to_string(), "query": query })
            })
            .collect();
        Self(json!({
            "type": kind,
            "title": title,
            "description": description,
            "gridPos": { "w": COLUMNS, "h": 8 },
            "datasource": datasource(),
            // A frame may have ten times as many rows; without it that depends on the reader's screen.
            "maxDataPoints": 1000,
            "targets": targets,
            "fieldConfig": {
                "defaults": {
                    "unit": "none",
                    "color": { "mode": "thresholds" },
                    "thresholds": steps(&[(None, GREY)]),
                    "mappings": [],
                },
                "overrides": [],
            },
            "options": {},
        }))
    }

    /// Numbers of one row, large and coloured by their thresholds.
    pub fn stat(title: &Value, description: &Value, query: String, columns: &[Column]) -> Self {
        let mut panel = Self::new("stat", title, description, &[query]).columns(columns);
        panel.0["options"] = json!({
            "reduceOptions": { "values": false, "calcs": ["lastNotNull"], "fields": "" },
            "orientation": "auto",
            "textMode": "value_and_name",
            "colorMode": "background",
            "graphMode": "none",
            "justifyMode": "center",
            "wideLayout": false,
            "showPercentChange": false,
            "percentChangeColorMode": "standard",
        });
        panel
    }

    /// A table, its columns in this order.
    pub fn table(title: &Value, description: &Value, query: String, columns: &[Column]) -> Self {
        let mut panel = Self::new("table", title, description, &[query]).columns(columns);
        panel.0["options"] = json!({ "showHeader": true, "cellHeight": "sm", "frameIndex": 0 });
        let defaults = &mut panel.0["fieldConfig"]["defaults"];
        defaults["noValue"] = json!("–");
        defaults["custom"] = json!({
            "align": "auto",
            "cellOptions": { "type": "auto" },
            "inspect": false,
            "filterable": true,
        });
        panel
    }

    /// Lines over time, `name` being the pattern of their names; each query is one kind of them.
    pub fn lines(title: &Value, description: &Value, queries: &[String], name: &str) -> Self {
        let mut panel = Self::new("timeseries", title, description, queries);
        panel.0["maxDataPoints"] = json!(300);
        let defaults = &mut panel.0["fieldConfig"]["defaults"];
        defaults["displayName"] = json!(name);
        defaults["min"] = json!(0);
        defaults["color"] = json!({ "mode": "palette-classic" });
        defaults["thresholds"] = steps(&[(None, "green")]);
        defaults["custom"] = json!({
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": 0,
            "showPoints": "auto",
            "pointSize": 4,
            "spanNulls": false,
            // A silence of a quarter of an hour is not drawn over.
            "insertNulls": 900_000,
            "axisLabel": "",
            "axisPlacement": "auto",
            "scaleDistribution": { "type": "linear" },
        });
        panel.0["options"] = json!({
            "legend": {
                "showLegend": true,
                "displayMode": "table",
                "placement": "right",
                "calcs": ["lastNotNull", "mean", "max"],
                "sortBy": "Max",
                "sortDesc": true,
            },
            "tooltip": { "mode": "multi", "sort": "desc" },
        });
        panel
    }

    /// Counts over time, stacked.
    pub fn counts(title: &Value, description: &Value, query: String, name: &str) -> Self {
        let mut panel = Self::lines(title, description, &[query], name);
        let custom = &mut panel.0["fieldConfig"]["defaults"]["custom"];
        custom["drawStyle"] = json!("bars");
        custom["fillOpacity"] = json!(70);
        custom["stacking"] = json!({ "mode": "normal", "group": "A" });
        panel.0["fieldConfig"]["defaults"]["decimals"] = json!(0);
        panel.0["options"]["legend"] = json!({ "showLegend": true, "displayMode": "table", "placement": "right", "calcs": ["sum"] });
        panel
    }

    /// States over time, a line for each series.
    pub fn timeline(title: &Value, description: &Value, query: String, name: &str) -> Self {
        let mut panel = Self::new("state-timeline", title, description, &[query]);
        panel.0["maxDataPoints"] = json!(500);
        let defaults = &mut panel.0["fieldConfig"]["defaults"];
        defaults["displayName"] = json!(name);
        defaults["mappings"] = states::mappings();
        defaults["custom"] = json!({ "fillOpacity": 80, "lineWidth": 0 });
        panel.0["options"] = json!({
            "mergeValues": true,
            "showValue": "auto",
            "alignValue": "left",
            "rowHeight": 0.9,
            "perPage": 40,
            "legend": { "showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": [] },
            "tooltip": { "mode": "single", "sort": "none" },
        });
        panel
    }

    /// A horizontal bar for each row.
    pub fn bars(title: &Value, description: &Value, query: String) -> Self {
        let mut panel = Self::new("bargauge", title, description, &[query]);
        panel.0["options"] = json!({
            "reduceOptions": { "values": true, "calcs": [], "fields": "" },
            "orientation": "horizontal",
            "displayMode": "basic",
            "valueMode": "text",
            "namePlacement": "auto",
            "sizing": "auto",
            "minVizWidth": 8,
            "minVizHeight": 16,
            "maxVizHeight": 300,
            "showUnfilled": true,
            "legend": { "showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": [] },
        });
        panel.0["fieldConfig"]["defaults"]["color"] = json!({ "mode": "continuous-BlYlRd" });
        panel.0["fieldConfig"]["defaults"]["min"] = json!(0);
        panel
    }

    /// Bars that begin where those before them end: `label` is the column with their names, `columns` are their parts.
    pub fn waterfall(
        title: &Value,
        description: &Value,
        query: String,
        label: &str,
        columns: &[Column],
    ) -> Self {
        let mut panel = Self::new("barchart", title, description, &[query]).columns(columns);
        panel.0["fieldConfig"]["defaults"]["custom"] =
            json!({ "fillOpacity": 80, "lineWidth": 0, "axisPlacement": "auto" });
        panel.0["options"] = json!({
            "orientation": "horizontal",
            "xField": label,
            "stacking": "normal",
            "showValue": "never",
            "barWidth": 0.8,
            "groupWidth": 0.7,
            "barRadius": 0.0,
            "xTickLabelRotation": 0,
            "xTickLabelMaxLength": 40,
            "xTickLabelSpacing": 0,
            "fullHighlight": false,
            "legend": { "showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "none" },
        });
        panel
    }

    /// HTML, which may name variables.
    pub fn html(title: &Value, description: &Value, content: &Value) -> Self {
        let mut panel = Self::new("text", title, description, &[]);
        panel.0["options"] = json!({
            "mode": "html",
            "content": content,
            "code": { "language": "plaintext", "showLineNumbers": false, "showMiniMap": false },
        });
        panel
    }

    fn columns(mut self, columns: &[Column]) -> Self {
        self.0["fieldConfig"]["overrides"] = table::overrides(columns);
        self.0["transformations"] = table::order(columns);
        self
    }

    /// Columns of 24, and rows of about 30 pixels.
    pub fn size(mut self, width: u64, height: u64) -> Self {
        self.0["gridPos"] = json!({ "w": width, "h": height });
        self
    }

    /// What stands where there is nothing.
    pub fn nothing(mut self, text: &Value) -> Self {
        self.0["fieldConfig"]["defaults"]["noValue"] = text.clone();
        self
    }

    pub fn unit(mut self, unit: &str) -> Self {
        self.0["fieldConfig"]["defaults"]["unit"] = json!(unit);
        self
    }

    /// Up to which value the axis goes at least.
    pub fn up_to(mut self, max: f64) -> Self {
        self.0["fieldConfig"]["defaults"]["max"] = json!(max);
        self
    }

    pub fn mappings(mut self, mappings: Value) -> Self {
        self.0["fieldConfig"]["defaults"]["mappings"] = mappings;
        self
    }

    /// Where a click on a point or a bar leads.
    pub fn link(mut self, title: &Value, url: &str) -> Self {
        self.0["fieldConfig"]["defaults"]["links"] = json!([{ "title": title, "url": url }]);
        self
    }

    /// How the lines of the query with this letter are drawn.
    pub fn of_query(mut self, letter: &str, properties: &[(&str, Value)]) -> Self {
        let properties: Vec<Value> = properties
            .iter()
            .map(|(id, value)| json!({ "id": id, "value": value }))
            .collect();
        if let Some(overrides) = self.0["fieldConfig"]["overrides"].as_array_mut() {
            overrides.push(json!({
                "matcher": { "id": "byFrameRefID", "options": letter },
                "properties": properties,
            }));
        }
        self
    }

    /// Cells high enough for pictures.
    pub fn high_rows(mut self) -> Self {
        self.0["options"]["cellHeight"] = json!("lg");
        self
    }

    /// Once for each chosen value of a variable, one under the other.
    pub fn repeated(mut self, variable: &str) -> Self {
        self.0["repeat"] = json!(variable);
        self.0["repeatDirection"] = json!("v");
        self
    }

    /// A stat that is a single value without its name.
    pub fn value_only(mut self) -> Self {
        self.0["options"]["textMode"] = json!("value");
        self
    }
}

/// Colours from their values up; the first has none.
pub fn steps(steps: &[(Option<f64>, &str)]) -> Value {
    let steps: Vec<Value> = steps
        .iter()
        .map(|(value, color)| json!({ "color": color, "value": value }))
        .collect();
    json!({ "mode": "absolute", "steps": steps })
}

/// The last runs that a table or a graph shows can each be looked at.
pub fn one_run() -> Value {
    say("Open this run", "Abrir esta ejecución")
}
