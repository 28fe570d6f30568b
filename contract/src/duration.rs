//! Durations as the operator writes them: `"250ms"`, `"30s"`, `"1m"`, `"1h 30m"`, `"7d"`. A day has 24 hours.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, de::Error};

/// A duration as it stands in a file, for whoever describes one.
#[derive(Clone, Copy, Debug)]
pub enum Written {}

/// Reads a duration that is longer than nothing.
pub fn parse(text: &str) -> Result<Duration, String> {
    let hint =
        "\nhint: write a number with a unit, for example \"250ms\", \"30s\", \"1m\" or \"1h 30m\"";
    let signed = text
        .parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| format!("`{text}` is not a duration{hint}"))?;
    match Duration::try_from(signed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!(
            "a duration must be longer than nothing, `{text}` is not{hint}"
        )),
    }
}

/// For `#[serde(deserialize_with = "vigia_contract::duration::deserialize")]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// For a field that may be left out: with `#[serde(default, deserialize_with = "...::deserialize_some")]`.
pub fn deserialize_some<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_writes_is_understood_or_refused_with_a_hint() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1m"), Ok(Duration::from_mins(1)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse("7d"), Ok(Duration::from_hours(168)));
        assert_eq!(parse("1d 12h"), Ok(Duration::from_hours(36)));
        for wrong in ["5", "soon", "-3s", "0s", "1mo", ""] {
            let refusal = parse(wrong).unwrap_err();
            assert!(
                refusal.contains("\nhint: write a number with a unit"),
                "{wrong}: {refusal}"
            );
        }
    }
}
