//! What a page wrote into its console, line by line, with what the browser itself had to say. Pure: events in, lines out.

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::Value;

use crate::{browser::Event, run::redaction::Redaction};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    r#type: String,
    args: Vec<Argument>,
    timestamp: f64,
    stack_trace: Option<StackTrace>,
}

#[derive(Deserialize)]
struct Argument {
    value: Option<Value>,
    description: Option<String>,
    r#type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StackTrace {
    call_frames: Vec<CallFrame>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallFrame {
    url: String,
    line_number: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thrown {
    timestamp: f64,
    exception_details: Details,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    text: String,
    exception: Option<Argument>,
    url: Option<String>,
    #[serde(default)]
    line_number: i64,
}

#[derive(Deserialize)]
struct Added {
    entry: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    level: String,
    text: String,
    timestamp: f64,
    url: Option<String>,
    line_number: Option<i64>,
}

struct Line {
    /// Since 1970.
    at_ms: f64,
    level: String,
    /// Where the words stand among all words, and how many they are.
    words: std::ops::Range<usize>,
    from: Option<usize>,
}

/// The console as a text; nothing where nothing was written.
pub fn text(events: &[Event], redaction: &Redaction) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut places: Vec<String> = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        let Some((at_ms, level, said, from)) = read(event) else {
            continue;
        };
        let from = from.map(|from| {
            places.push(from);
            places.len() - 1
        });
        let first = words.len();
        words.extend(said);
        lines.push(Line {
            at_ms,
            level,
            words: first..words.len(),
            from,
        });
    }
    if lines.is_empty() {
        return None;
    }
    // Before they are put in the order of their time: what follows each other is what was said one after the other.
    redaction.apply_across(&mut words);
    for place in &mut places {
        *place = redaction.apply(place);
    }
    lines.sort_by(|one, other| one.at_ms.total_cmp(&other.at_ms));
    let shown = lines.iter().map(|line| {
        let from = line
            .from
            .map_or(String::new(), |from| format!("  ({})", places[from]));
        let said = words[line.words.clone()].join(" ");
        format!("{}  {:<7}  {said}{from}\n", time(line.at_ms), line.level)
    });
    Some(shown.collect())
}

fn read(event: &Event) -> Option<(f64, String, Vec<String>, Option<String>)> {
    match event.method.as_str() {
        "Runtime.consoleAPICalled" => {
            let call: Call = event.read()?;
            let frames = call.stack_trace.map(|trace| trace.call_frames);
            let from = frames.and_then(|frames| frames.into_iter().next());
            let from = from.map(|frame| place(&frame.url, frame.line_number));
            let said = call.args.into_iter().map(Argument::shown).collect();
            Some((call.timestamp, call.r#type, said, from))
        }
        "Runtime.exceptionThrown" => {
            let Thrown {
                timestamp,
                exception_details: details,
            } = event.read()?;
            let from = details.url.map(|url| place(&url, details.line_number));
            let said = details.exception.map(Argument::shown).unwrap_or_default();
            Some((timestamp, "error".into(), vec![details.text, said], from))
        }
        "Log.entryAdded" => {
            let Added { entry } = event.read()?;
            let from = entry
                .url
                .map(|url| place(&url, entry.line_number.unwrap_or(-1)));
            Some((entry.timestamp, entry.level, vec![entry.text], from))
        }
        _ => None,
    }
}

/// The browser counts lines from 0.
fn place(url: &str, line: i64) -> String {
    if line < 0 {
        url.to_owned()
    } else {
        format!("{url}:{}", line + 1)
    }
}

fn time(at_ms: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a date")]
    let at = Timestamp::from_millisecond(at_ms as i64).unwrap_or_default();
    at.to_zoned(TimeZone::UTC)
        .strftime("%H:%M:%S%.3f")
        .to_string()
}

impl Argument {
    fn shown(self) -> String {
        match self.value {
            Some(Value::String(text)) => text,
            Some(value) => value.to_string(),
            None => self.description.unwrap_or(self.r#type),
        }
    }
}
