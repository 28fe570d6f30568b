//! What was done about an incident so far, as [`crate::route::look`] asks for it.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Result, Row};

use super::{decisions, incidents, time};
use crate::{
    incident::{Incident, untold},
    route::look::{Reach, Standing, Told},
};

/// Reads it.
pub async fn read(connection: &mut AnyConnection, incident: &Incident) -> Result<Standing> {
    let id = &incident.id;
    let rows = sqlx::query(
        "SELECT conversation.form, conversation.channel, conversation.started_ns, delivery.kind, delivery.state,
                delivery.intended_ns
         FROM member JOIN conversation ON conversation.id = member.conversation_id
         LEFT JOIN delivery ON delivery.conversation_id = conversation.id
         WHERE member.incident_id = $1",
    )
    .bind(id)
    .fetch_all(&mut *connection)
    .await?;
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    let mut digested_at = None;
    for row in &rows {
        let began = time(row.try_get("started_ns")?);
        if row.try_get::<&str, _>("form")? == "digest" {
            digested_at = digested_at.max(Some(began));
            continue;
        }
        let channel: String = row.try_get("channel")?;
        let told = told.entry(channel.clone()).or_insert(Told {
            channel,
            since: began,
            last: began,
            reach: Reach::Refused,
        });
        let Some(kind) = row.try_get::<Option<&str>, _>("kind")? else {
            continue;
        };
        told.last = told.last.max(time(row.try_get("intended_ns")?));
        told.reach = match (kind, row.try_get("state")?) {
            ("opened" | "escalated" | "whole", "accepted") => Reach::Accepted,
            ("opened" | "escalated" | "whole", "pending" | "sending")
                if told.reach == Reach::Refused =>
            {
                Reach::Waiting
            }
            _ => told.reach,
        };
    }
    let known: Option<i64> = sqlx::query_scalar("SELECT known_ns FROM incident WHERE id = $1")
        .bind(id)
        .fetch_one(&mut *connection)
        .await?;
    let raised = incidents::with_id(connection, &untold::id_of(incident)).await?;
    Ok(Standing {
        known_at: known.map_or(incident.started_at, time),
        told: told.into_values().collect(),
        heirs: decisions::channels_of_former(connection, id).await?,
        is_acknowledged: !decisions::acknowledgements(connection, id)
            .await?
            .is_empty(),
        digested_at,
        is_raised: raised.is_some(),
    })
}
