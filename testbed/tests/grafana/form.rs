//! The form of the dashboard files: what Grafana would quietly draw wrong, and what a reader misses.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vigia_contract::data_model::Outcome;

use crate::{
    dashboard::{Dashboard, list, text},
    interpolation::next_macro,
};

const COLUMNS: u64 = 24;

#[test]
fn a_dashboard_can_be_provisioned_as_it_is() {
    for dashboard in Dashboard::all() {
        let json = &dashboard.json;
        assert_eq!(json["schemaVersion"], 42);
        assert!(text(&json["uid"]).len() <= 40);
        assert!(!text(&json["title"]).is_empty() && !text(&json["description"]).is_empty());
        // Both belong to an installation, not to a file.
        assert!(json.get("id").is_none() && json.get("version").is_none());
        let ids: BTreeSet<u64> = dashboard
            .panels()
            .iter()
            .map(|panel| number(&panel["id"]))
            .collect();
        assert_eq!(
            ids.len(),
            dashboard.panels().len(),
            "two panels have the same id"
        );
    }
}

#[test]
fn panels_fit_side_by_side() {
    for dashboard in Dashboard::all() {
        let mut taken = BTreeSet::new();
        for panel in dashboard.panels() {
            let place = &panel["gridPos"];
            let (x, y) = (number(&place["x"]), number(&place["y"]));
            let (width, height) = (number(&place["w"]), number(&place["h"]));
            assert!(
                width > 0 && height > 0 && x + width <= COLUMNS,
                "{}: {place}",
                panel["title"]
            );
            for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
                assert!(
                    taken.insert(cell),
                    "{} lies on another panel at {cell:?}",
                    panel["title"]
                );
            }
        }
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels() {
            assert!(text(&panel["title"]).len() >= 3, "{panel}");
            assert!(text(&panel["description"]).len() > 20, "{}", panel["title"]);
            assert!(
                !text(&panel["fieldConfig"]["defaults"]["unit"]).is_empty(),
                "{}",
                panel["title"]
            );
            assert!(
                !list(&panel["targets"]).is_empty() || panel["type"] == "text",
                "{}",
                panel["title"]
            );
            let nothing = &panel["fieldConfig"]["defaults"]["noValue"];
            assert!(
                nothing.is_string() || panel["type"] == "text",
                "{}: what stands there without data",
                panel["title"]
            );
            // A frame may have ten times as many rows; without the option that depends on the reader's screen.
            assert!(number(&panel["maxDataPoints"]) >= 100, "{}", panel["title"]);
        }
    }
}

#[test]
fn every_query_goes_to_the_chosen_data_source() {
    let chosen = json!({ "type": "influxdb", "uid": "${ds}" });
    for dashboard in Dashboard::all() {
        let panels = dashboard.panels().iter().flat_map(|panel| {
            let targets = list(&panel["targets"])
                .iter()
                .map(|target| &target["datasource"]);
            targets.chain([&panel["datasource"]])
        });
        let annotations = dashboard
            .annotations()
            .iter()
            .map(|annotation| &annotation["datasource"]);
        let variables = dashboard
            .variables()
            .iter()
            .filter(|variable| variable["type"] == "query");
        let variables = variables.map(|variable| &variable["datasource"]);
        for datasource in panels.chain(annotations).chain(variables) {
            assert_eq!(datasource, &chosen);
        }
    }
}

#[test]
fn every_variable_is_declared_and_safe_where_it_is_used() {
    for dashboard in Dashboard::all() {
        let declared: Vec<&str> = dashboard
            .variables()
            .iter()
            .map(|variable| text(&variable["name"]))
            .collect();
        for name in dashboard.text.split("${").skip(1) {
            let name = name.split(['}', ':', '.']).next().unwrap_or_default();
            assert!(
                name.starts_with("__") || declared.contains(&name),
                "`{name}` is not declared"
            );
        }
        for query in dashboard.queries() {
            // Several values are only a pattern with this format; any other gives Flux that is broken or lets all through.
            for pattern in query.flux.split("=~").skip(1) {
                let safe = SAFE.iter().any(|(before, after)| {
                    pattern
                        .trim_start()
                        .strip_prefix(before)
                        .and_then(|rest| rest.split_once(":regex}"))
                        .is_some_and(|(name, rest)| !name.contains('}') && rest.starts_with(after))
                });
                assert!(safe, "{}: {pattern}", query.place);
            }
            for several in ["system", "impact", "journey", "probe", "host"] {
                let variable = format!("${{{several}");
                for (index, _) in query.flux.match_indices(&variable) {
                    let safe = SAFE.iter().any(|(before, _)| {
                        query.flux[..index].ends_with(&before[..before.len() - 2])
                    });
                    assert!(safe, "{}: ${several}", query.place);
                }
            }
        }
    }
}

/// What may stand around a variable: one of its values as a whole, or as a part of a list with commas.
const SAFE: [(&str, &str); 2] = [("/^${", "$/"), ("/(^|,)${", "(,|$)/")];

#[test]
fn no_column_is_taken_for_a_macro() {
    for dashboard in Dashboard::all() {
        for query in dashboard.queries() {
            let mut rest = query.flux.as_str();
            while let Some((start, name, end)) = next_macro(rest) {
                assert_eq!(
                    &rest[start..end - name.len()],
                    "v.",
                    "{}: `{name}`",
                    query.place
                );
                // Not replaced after the text `join.`, so never used.
                assert_ne!(name, "bucket", "{}", query.place);
                rest = &rest[end..];
            }
        }
    }
}

#[test]
fn every_outcome_has_its_text_and_colour_and_none_but_ok_is_green() {
    let dashboard = Dashboard::with_uid("vigia-systems");
    let timeline = &dashboard.panel("Journeys over time")["fieldConfig"]["defaults"]["mappings"];
    let table = list(&dashboard.panel("Journeys now")["fieldConfig"]["overrides"])
        .iter()
        .find(|field| field["matcher"]["options"] == "state")
        .and_then(|field| {
            list(&field["properties"])
                .iter()
                .find(|property| property["id"] == "mappings")
        })
        .map(|property| &property["value"])
        .unwrap();
    for outcome in Outcome::ALL {
        let by_code = &timeline[0]["options"][outcome.code().to_string()];
        let by_name = &table[0]["options"][outcome.name()];
        assert_eq!(by_code, by_name);
        assert!(!text(&by_code["text"]).is_empty());
        assert_eq!(
            by_code["color"] == "green",
            outcome == Outcome::Ok,
            "{outcome:?}"
        );
    }
    let silent = &timeline[0]["options"]["5"];
    assert_eq!(silent, &table[0]["options"]["no data"]);
    assert_ne!(silent["color"], "green");
}

#[test]
fn data_links_lead_to_dashboards_that_are_here() {
    let uids: Vec<String> = Dashboard::all()
        .iter()
        .map(|dashboard| text(&dashboard.json["uid"]).to_owned())
        .collect();
    for dashboard in Dashboard::all() {
        for link in dashboard.text.split("\"/d/").skip(1) {
            let uid = link.split(['?', '/', '"']).next().unwrap_or_default();
            assert!(
                uids.iter().any(|known| known == uid),
                "no dashboard `{uid}`"
            );
        }
    }
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("not a whole number: {value}"))
}
