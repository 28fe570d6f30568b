//! Whether an answer has the shape that its panel needs. Grafana takes a table with `_value` and a time for a series, and
//! anything else for a table; it skips an override whose column is not there, without a word.

use std::collections::BTreeSet;

use serde_json::Value;
use vigia_testbed::servers::influxdb::Row;

use crate::dashboard::{list, text};

/// Grafana's limit of series in an answer, as the data source is provisioned.
const SERIES_MAX: usize = 1000;
/// Grafana's limit of rows in a series: so many for each point that could be drawn.
const ROWS_FOR_EACH_POINT: u64 = 10;

/// Fails where the answer of a panel's query with this letter would not be drawn, or not be drawn whole.
pub fn check(panel: &Value, letter: &str, rows: &[Row]) {
    let title = &panel["title"];
    let tables: BTreeSet<&str> = rows.iter().map(|row| row["table"].as_str()).collect();
    assert!(
        tables.len() <= SERIES_MAX,
        "{title}: {} series",
        tables.len()
    );
    let most = panel["maxDataPoints"].as_u64().unwrap() * ROWS_FOR_EACH_POINT;
    for table in &tables {
        let count = rows.iter().filter(|row| row["table"] == *table).count();
        assert!(count as u64 <= most, "{title}: {count} rows");
    }
    match text(&panel["type"]) {
        "timeseries" | "state-timeline" => series(panel, letter, rows),
        "table" | "stat" | "bargauge" | "barchart" => table(panel, &tables, rows),
        other => panic!("{title}: what a `{other}` needs is not written down"),
    }
}

fn series(panel: &Value, letter: &str, rows: &[Row]) {
    let title = &panel["title"];
    let names = names_of_lines(panel, letter);
    for row in rows {
        assert!(row["_value"].parse::<f64>().is_ok(), "{title}: {row:?}");
        assert!(row["_time"].ends_with('Z'), "{title}: {row:?}");
        for label in labels(&names) {
            assert!(row.contains_key(label), "{title}: no `{label}` in {row:?}");
        }
    }
    for (before, after) in rows.iter().zip(rows.iter().skip(1)) {
        assert!(
            before["table"] != after["table"] || before["_time"] <= after["_time"],
            "{title}: not in the order of time"
        );
    }
}

/// The pattern that names the lines of a query: the panel's own, or the query's.
fn names_of_lines(panel: &Value, letter: &str) -> String {
    let field = &panel["fieldConfig"];
    let own = list(&field["overrides"])
        .iter()
        .filter(|of| of["matcher"]["options"] == letter)
        .flat_map(|of| list(&of["properties"]))
        .find(|property| property["id"] == "displayName")
        .map(|property| &property["value"]);
    text(own.unwrap_or(&field["defaults"]["displayName"])).to_owned()
}

fn labels(names: &str) -> impl Iterator<Item = &str> {
    names
        .split("${__field.labels.")
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}

fn table(panel: &Value, tables: &BTreeSet<&str>, rows: &[Row]) {
    let title = &panel["title"];
    assert!(tables.len() <= 1, "{title}: {} tables", tables.len());
    let Some(first) = rows.first() else { return };
    assert!(!first.contains_key("_value"), "{title}: taken for a series");
    let headings: BTreeSet<&str> = list(&panel["fieldConfig"]["overrides"])
        .iter()
        .map(|field| text(&field["matcher"]["options"]))
        .collect();
    let shown: BTreeSet<&str> = first
        .keys()
        .map(String::as_str)
        .filter(|name| !["", "result", "table"].contains(name))
        .collect();
    if panel["type"] == "bargauge" {
        let numbers = shown
            .iter()
            .filter(|name| first[**name].parse::<f64>().is_ok());
        assert_eq!(
            (shown.len(), numbers.count()),
            (2, 1),
            "{title}: a name and a number"
        );
    } else {
        let unknown: Vec<_> = shown.difference(&headings).collect();
        assert!(
            unknown.is_empty(),
            "{title}: columns without a heading: {unknown:?}"
        );
    }
    for link in panel.to_string().split("${__data.fields.").skip(1) {
        let column = link.split([':', '}']).next().unwrap();
        assert!(shown.contains(column), "{title}: a link needs `{column}`");
    }
}

/// Fails where a heading's column is not there. Only for answers about what has all of them.
pub fn check_headings(panel: &Value, rows: &[Row]) {
    for field in list(&panel["fieldConfig"]["overrides"]) {
        if field["matcher"]["id"] == "byName" {
            let name = text(&field["matcher"]["options"]);
            assert!(
                rows[0].contains_key(name),
                "{}: no column `{name}`",
                panel["title"]
            );
        }
    }
}
