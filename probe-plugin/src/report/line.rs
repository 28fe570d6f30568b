//! One point as one line of line protocol, whatever is put into it.
//!
//! `influxdb-line-protocol`'s builder writes the line; what goes in is cleaned here first, because the builder lets line
//! feeds into tags, writes empty tags and `NaN`, and doubles backslashes that no reader undoes. A bad line would make
//! Telegraf drop it, or swallow its neighbours.

use influxdb_line_protocol::LineProtocolBuilder;

/// One point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its measurement.
    pub measurement: &'static str,
    /// Its identity.
    pub tags: Vec<(&'static str, String)>,
    /// What it says. A point without any field that can be written is no line.
    pub fields: Vec<(&'static str, Value)>,
    /// Nanoseconds since 1970.
    pub timestamp_ns: i64,
}

/// A field's value; a field keeps its type for ever.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `1i`
    Integer(i64),
    /// `1.5`; not written when it is not a finite number.
    Float(f64),
    /// `"text"`
    Text(String),
}

/// The line with its line feed; empty when there is nothing to say.
pub fn encode(point: &Point) -> Vec<u8> {
    let mut line = LineProtocolBuilder::new().measurement(point.measurement);
    for (key, value) in &point.tags {
        let value = clean_tag(value);
        if !value.is_empty() {
            line = line.tag(key, &value);
        }
    }
    let mut fields = point
        .fields
        .iter()
        .filter(|(_, value)| !matches!(value, Value::Float(number) if !number.is_finite()));
    let Some((key, value)) = fields.next() else {
        return Vec::new();
    };
    let mut line = match value {
        Value::Integer(number) => line.field(key, *number),
        Value::Float(number) => line.field(key, *number),
        Value::Text(text) => line.field(key, clean_text(text).as_str()),
    };
    for (key, value) in fields {
        line = match value {
            Value::Integer(number) => line.field(key, *number),
            Value::Float(number) => line.field(key, *number),
            Value::Text(text) => line.field(key, clean_text(text).as_str()),
        };
    }
    line.timestamp(point.timestamp_ns).close_line().build()
}

/// One line, and no backslash: as an escape it would be doubled, and at the end it would swallow what follows.
fn clean_tag(text: &str) -> String {
    clean_text(text).replace('\\', "/").trim().to_owned()
}

/// One line without control characters.
fn clean_text(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use influxdb_line_protocol::{FieldValue, parse_lines};
    use proptest::prelude::*;

    use super::*;

    fn point(tag: &str, text: &str, number: f64) -> Point {
        Point {
            measurement: "journey",
            tags: vec![("system", tag.to_owned())],
            fields: vec![
                ("duration_ms", Value::Float(number)),
                ("error", Value::Text(text.to_owned())),
                ("ok", Value::Integer(1)),
            ],
            timestamp_ns: 1_700_000_000_000_000_000,
        }
    }

    #[test]
    fn a_point_is_one_line() {
        let line = encode(&point(
            "trámites, sede = 1",
            "falta \"Bienvenido\"\nen C:\\",
            1.5,
        ));
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "journey,system=trámites\\,\\ sede\\ \\=\\ 1 duration_ms=1.5,error=\"falta \\\"Bienvenido\\\" en C:\\\\\",ok=1i 1700000000000000000\n"
        );
    }

    #[test]
    fn a_number_that_is_none_and_a_tag_without_letters_are_left_out() {
        let line = encode(&point("\n", "x", f64::NAN));
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "journey error=\"x\",ok=1i 1700000000000000000\n"
        );
    }

    proptest! {
        #[test]
        fn whatever_goes_in_is_one_line_that_its_own_parser_reads_back(
            tag in any::<String>(),
            text in any::<String>(),
            number in any::<f64>(),
        ) {
            let point = point(&tag, &text, number);
            let line = String::from_utf8(encode(&point)).unwrap();
            prop_assert_eq!(line.matches('\n').count(), 1);
            let parsed: Vec<_> = parse_lines(&line).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(parsed.len(), 1);
            match parsed[0].field_value("error") {
                Some(FieldValue::String(read)) => prop_assert_eq!(read.as_str(), clean_text(&text)),
                other => prop_assert!(false, "{:?}", other),
            }
            let tag = clean_tag(&tag);
            let read = parsed[0].tag_value("system").map(ToString::to_string);
            prop_assert_eq!(read.unwrap_or_default(), tag);
        }
    }
}
