//! What Grafana makes of a query before it sends it: variables first, then the macros of its InfluxDB data source.

use jiff::Timestamp;

/// A Flux macro is two words with a dot between them, and only the second word counts: `r.bucket` is one, too.
const MACROS: [&str; 6] = [
    "timeRangeStart",
    "timeRangeStop",
    "windowPeriod",
    "bucket",
    "defaultBucket",
    "organization",
];

/// What the person at the dashboard has chosen.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub start: Timestamp,
    pub stop: Timestamp,
    /// A Go duration, which is what Grafana writes.
    pub window: &'a str,
    pub systems: &'a [&'a str],
    pub impacts: &'a [&'a str],
    pub journeys: &'a [&'a str],
    pub probes: &'a [&'a str],
    pub hosts: &'a [&'a str],
    pub silent_after: &'a str,
    /// Percent.
    pub target: &'a str,
    /// Milliseconds since 1970, or nothing.
    pub at: &'a str,
    pub bucket: &'a str,
}

impl View<'_> {
    /// The query as InfluxDB gets it.
    pub fn of(&self, flux: &str) -> String {
        let filled = flux
            .replace("${system:regex}", &regex(self.systems))
            .replace("${impact:regex}", &regex(self.impacts))
            .replace("${journey:regex}", &regex(self.journeys))
            .replace("${probe:regex}", &regex(self.probes))
            .replace("${host:regex}", &regex(self.hosts))
            .replace("${silent_after}", self.silent_after)
            .replace("${target}", self.target)
            .replace("${at}", self.at);
        let mut out = String::new();
        let mut rest = filled.as_str();
        while let Some((start, name, end)) = next_macro(rest) {
            out.push_str(&rest[..start]);
            let value = match name {
                "timeRangeStart" => self.start.to_string(),
                "timeRangeStop" => self.stop.to_string(),
                "windowPeriod" => self.window.to_owned(),
                "organization" => "\"vigia\"".to_owned(),
                _ => format!("\"{}\"", self.bucket),
            };
            out.push_str(&value);
            rest = &rest[end..];
        }
        out + rest
    }
}

/// The first macro of a text: where its first word starts, its second word, and where that ends.
pub fn next_macro(text: &str) -> Option<(usize, &'static str, usize)> {
    let is_letter = |character: char| character.is_ascii_alphabetic();
    text.match_indices('.').find_map(|(dot, _)| {
        let first = text[..dot].trim_end_matches(is_letter).len();
        let second = &text[dot + 1..];
        let second = &second[..second.find(|c| !is_letter(c)).unwrap_or(second.len())];
        let name = MACROS.into_iter().find(|name| *name == second)?;
        (first < dot).then_some((first, name, dot + 1 + second.len()))
    })
}

/// The format `regex`: each value escaped, and brackets only around several.
fn regex(values: &[&str]) -> String {
    let escaped: Vec<String> = values
        .iter()
        .map(|value| {
            value.chars().fold(String::new(), |mut out, character| {
                if r"\^$*+?.()|[]{}/".contains(character) {
                    out.push('\\');
                }
                out.push(character);
                out
            })
        })
        .collect();
    match escaped.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join("|")),
    }
}

#[test]
fn macros_and_variables_are_filled_in_as_grafana_does_it() {
    let view = View {
        start: "2026-11-22T17:00:00Z".parse().unwrap(),
        stop: "2026-11-22T18:00:00Z".parse().unwrap(),
        window: "1m0s",
        systems: &["a/b", "c.d"],
        impacts: &["high"],
        journeys: &[],
        probes: &[],
        hosts: &[],
        silent_after: "15m",
        target: "99.5",
        at: "",
        bucket: "vigia",
    };
    assert_eq!(
        view.of("from(bucket: v.defaultBucket) |> range(start: v.timeRangeStart) |> filter(fn: (r) => r.system =~ /^${system:regex}$/ and r.impact =~ /^${impact:regex}$/ and r.bucket == x)"),
        "from(bucket: \"vigia\") |> range(start: 2026-11-22T17:00:00Z) |> filter(fn: (r) => r.system =~ /^(a\\/b|c\\.d)$/ and r.impact =~ /^high$/ and \"vigia\" == x)"
    );
}
