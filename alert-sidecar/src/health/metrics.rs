//! What `/metrics` says, in the text format of `OpenMetrics`.

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};
use vigia_contract::data_model::Impact;

use super::{Complaint, Seen};
use crate::store::overview::Overview;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRule {
    rule: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAnswer {
    rule: String,
    answer: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChannel {
    channel: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfMessages {
    channel: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfImpact {
    impact: &'static str,
}

/// Writes what is known at this moment; of a program that does not work with the store there is no overview.
#[must_use]
pub fn write(seen: &Seen, overview: Option<&Overview>, complaints: &[Complaint]) -> String {
    let mut registry = Registry::with_prefix("vigia_alert");
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The running version", version);
    let ready: Gauge = Gauge::default();
    ready.set(i64::from(complaints.is_empty()));
    registry.register(
        "ready",
        "1 while every rule is answered and every channel brings what it is given",
        ready,
    );
    rules(&mut registry, seen);
    if let Some(overview) = overview {
        incidents(&mut registry, overview);
        channels(&mut registry, overview);
    }
    let mut out = String::new();
    match text::encode(&mut out, &registry) {
        Ok(()) => out,
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            String::new()
        }
    }
}

fn rules(registry: &mut Registry, seen: &Seen) {
    let answers = Family::<OfAnswer, Counter>::default();
    let last = Family::<OfRule, Gauge>::default();
    for (name, rule) in &seen.rules {
        for (answer, count) in [("answered", rule.answers), ("failed", rule.failures)] {
            let label = OfAnswer {
                rule: name.clone(),
                answer,
            };
            answers.get_or_create(&label).inc_by(count);
        }
        if let Some(at) = rule.answered {
            last.get_or_create(&OfRule { rule: name.clone() })
                .set(at.as_second());
        }
    }
    registry.register(
        "rule_questions",
        "How often each rule was asked, by what came of it",
        answers,
    );
    registry.register(
        "rule_last_answer_timestamp_seconds",
        "When each rule was answered last",
        last,
    );
}

fn incidents(registry: &mut Registry, overview: &Overview) {
    let open = Family::<OfImpact, Gauge>::default();
    for impact in Impact::ALL {
        let count = overview
            .open
            .iter()
            .filter(|incident| incident.impact == impact)
            .count();
        let label = OfImpact {
            impact: impact.name(),
        };
        open.get_or_create(&label)
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register("incidents_open", "Open incidents, by impact", open);
}

fn channels(registry: &mut Registry, overview: &Overview) {
    let settled = Family::<OfMessages, Counter>::default();
    let waiting = Family::<OfChannel, Gauge>::default();
    let [accepted, refused, failing] =
        std::array::from_fn(|_| Family::<OfChannel, Gauge>::default());
    for channel in &overview.channels {
        let label = OfChannel {
            channel: channel.name.clone(),
        };
        for (state, count) in [
            ("accepted", channel.accepted_total),
            ("refused", channel.refused_total),
        ] {
            let label = OfMessages {
                channel: channel.name.clone(),
                state,
            };
            settled.get_or_create(&label).inc_by(count.unsigned_abs());
        }
        waiting.get_or_create(&label).set(channel.waiting);
        let moments = [
            (&accepted, channel.accepted),
            (&refused, channel.refused),
            (&failing, channel.failing_since),
        ];
        for (family, at) in moments {
            if let Some(at) = at {
                family.get_or_create(&label).set(at.as_second());
            }
        }
    }
    registry.register(
        "messages",
        "Messages that are settled, as far back as the store reaches",
        settled,
    );
    registry.register("messages_waiting", "Messages that wait to be sent", waiting);
    registry.register(
        "channel_last_accepted_timestamp_seconds",
        "When each channel took a message last",
        accepted,
    );
    registry.register(
        "channel_last_refused_timestamp_seconds",
        "When each channel refused a message for good last",
        refused,
    );
    registry.register(
        "channel_failing_since_timestamp_seconds",
        "Since when the oldest message waits that was tried in vain",
        failing,
    );
}
