//! Writes into InfluxDB what became of each message, so that a dashboard shows whether people are told, and how soon.
//!
//! Only for dashboards: a point that cannot be written at once is given up, and no message waits longer than that for it.

use std::{io, time::Duration};

use influxdb_line_protocol::LineProtocolBuilder;
use jiff::Timestamp;
use tokio::time::timeout;
use vigia_contract::data_model::{field, measurement, tag};

use super::{Attempt, incident_points::tag_value};
use crate::{
    flux::InfluxDb,
    store::outbox::{Delivery, Kind},
};

/// How long the next message may be held up by this one's point.
const DEADLINE: Duration = Duration::from_secs(5);

/// Writes that a message was settled now. An attempt that is to be repeated settles nothing.
pub async fn write(influxdb: &InfluxDb, delivery: &Delivery, attempt: &Attempt, now: Timestamp) {
    let Some(point) = point(delivery, attempt, now) else {
        return;
    };
    let written = timeout(DEADLINE, influxdb.write(point)).await;
    let trouble = match written {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => io::Error::from(io::ErrorKind::TimedOut).to_string(),
    };
    tracing::warn!(
        incident = delivery.conversation.lead().id,
        trouble,
        "what became of a message is not in InfluxDB; dashboards do not count it"
    );
}

fn point(delivery: &Delivery, attempt: &Attempt, now: Timestamp) -> Option<Vec<u8>> {
    let is_accepted = match attempt {
        Attempt::Accepted(_) => true,
        Attempt::Refused(_) => false,
        Attempt::Failed { .. } | Attempt::Uncertain(_) => return None,
    };
    let incident = delivery.conversation.lead();
    // What the message is about: the run that opened the incident, or the one that ended it.
    let since = match (&incident.end, delivery.kind) {
        (Some(end), Kind::Closed | Kind::Whole) => end.at,
        _ => incident.started_at,
    };
    let latency_ms = now.duration_since(since).as_secs_f64() * 1000.0;
    let point = LineProtocolBuilder::new()
        .measurement(measurement::ALERT_DELIVERY)
        .tag(tag::CHANNEL, &tag_value(&delivery.channel))
        .tag(tag::IMPACT, incident.impact.name())
        .tag(tag::SYSTEM, &tag_value(&incident.series.system))
        .field(field::ACCEPTED, i64::from(is_accepted))
        .field(field::REFUSED, i64::from(!is_accepted))
        .field(
            field::ATTEMPTS,
            i64::try_from(delivery.attempt).unwrap_or(i64::MAX),
        )
        .field(field::LATENCY_MS, latency_ms)
        .field(field::KIND, delivery.kind.name())
        .field(field::INCIDENT_ID, incident.id.as_str())
        .timestamp(i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX))
        .close_line()
        .build();
    Some(point)
}
