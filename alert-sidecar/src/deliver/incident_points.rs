//! Writes the incidents into InfluxDB, for dashboards and reports. What could not be written stays marked in the store and
//! is written later; alerts never wait for it.

use std::{sync::Arc, time::Duration};

use influxdb_line_protocol::LineProtocolBuilder;
use jiff::Timestamp;
use reqwest::StatusCode;
use tokio::{sync::watch, time::sleep};
use vigia_contract::data_model::{field, measurement, tag};

use crate::{
    flux::{InfluxDb, QueryError},
    store::{StoreError, incidents::Unwritten, ledger::Ledger},
};

/// How long to wait before what failed is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Writes until `stop` is set.
pub async fn run(ledger: Ledger, influxdb: Arc<InfluxDb>, mut stop: watch::Receiver<bool>) {
    let mut changes = ledger.changes();
    let mut is_failing = false;
    while !*stop.borrow() {
        changes.mark_unchanged();
        let written = tokio::select! {
            written = write_all(&ledger, &influxdb) => written,
            _ = stop.changed() => return,
        };
        match written {
            Ok(()) => is_failing = false,
            Err(error) => {
                if !is_failing {
                    tracing::warn!(%error, "incidents could not be written to InfluxDB; they will be");
                }
                is_failing = true;
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            news = changes.changed() => if news.is_err() { return },
            () = sleep(TRY_AGAIN_AFTER), if is_failing => {}
        }
    }
}

async fn write_all(ledger: &Ledger, influxdb: &InfluxDb) -> Result<(), anyhow::Error> {
    loop {
        let unwritten = match ledger.unwritten().await {
            Err(StoreError::Closed) => return Ok(()),
            unwritten => unwritten?,
        };
        if unwritten.is_empty() {
            return Ok(());
        }
        let now = Timestamp::now();
        let points = unwritten.iter().flat_map(|unwritten| point(unwritten, now));
        match influxdb.write(points.collect()).await {
            // One of them is meant.
            Err(QueryError::Refused { status, .. }) if is_final(status) => {
                write_each(influxdb, &unwritten, now).await?;
            }
            written => written?,
        }
        ledger.written(unwritten).await?;
    }
}

async fn write_each(
    influxdb: &InfluxDb,
    unwritten: &[Unwritten],
    now: Timestamp,
) -> Result<(), QueryError> {
    for unwritten in unwritten {
        match influxdb.write(point(unwritten, now)).await {
            // One that is older than the bucket keeps, or whose field has another type there, must not hold up the others.
            Err(QueryError::Refused {
                status, message, ..
            }) if is_final(status) => {
                tracing::error!(incident = unwritten.incident.id, %status, message, "InfluxDB will never take the point of an incident; dashboards do not show it");
            }
            written => written?,
        }
    }
    Ok(())
}

/// Whether these say that the point itself is wrong, now and later.
fn is_final(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// The point of an incident as it stands: the same time and tags each time, so that it replaces the one before.
fn point(unwritten: &Unwritten, now: Timestamp) -> Vec<u8> {
    let Unwritten {
        incident,
        acknowledged_by,
        acknowledged_at,
        deliveries,
        ..
    } = unwritten;
    let state = if incident.end.is_some() {
        "closed"
    } else {
        "open"
    };
    let started_ns = i64::try_from(incident.started_at.as_nanosecond()).unwrap_or(i64::MAX);
    let mut point = LineProtocolBuilder::new()
        .measurement(measurement::JOURNEY_INCIDENT)
        .tag(tag::IMPACT, incident.impact.name())
        .tag(tag::JOURNEY, &tag_value(&incident.series.journey))
        .tag(tag::PROBE, &tag_value(&incident.series.probe))
        .tag(tag::SYSTEM, &tag_value(&incident.series.system))
        .field(field::STATE, state)
        .field(field::INCIDENT_ID, incident.id.as_str())
        .field(field::RULE, incident.rule.as_str())
        .field(field::RUN_ID, incident.run_id.as_str())
        .field(field::DURATION_S, incident.duration(now).as_secs_f64())
        .field(field::DELIVERIES, *deliveries);
    if let Some(person) = acknowledged_by {
        point = point.field(field::ACKNOWLEDGED_BY, person.as_str());
    }
    if let Some(at) = acknowledged_at {
        let at_ns = i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
        point = point.field(field::ACKNOWLEDGED_NS, at_ns);
    }
    if let Some(end) = &incident.end {
        let end_ns = i64::try_from(end.at.as_nanosecond()).unwrap_or(i64::MAX);
        point = point.field(field::END_NS, end_ns);
    }
    if let Some(step) = &incident.failure.step {
        point = point.field(field::FAILED_STEP, step.as_str());
    }
    if let Some(class) = &incident.failure.class {
        point = point.field(field::ERROR_CLASS, class.as_str());
    }
    if let Some(error) = &incident.failure.error {
        point = point.field(field::ERROR, error.as_str());
    }
    if let Some(artifact) = &incident.failure.artifact {
        point = point.field(field::ARTIFACT, artifact.as_str());
    }
    point.timestamp(started_ns).close_line().build()
}

/// InfluxDB takes neither a line feed inside a tag's value nor a backslash at its end; the builder lets both through.
pub(super) fn tag_value(value: &str) -> String {
    value
        .replace(['\n', '\r'], " ")
        .trim_end_matches('\\')
        .to_owned()
}
