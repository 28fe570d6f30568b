//! Why who was told, who said that they take care of it, and what is muted: what people steer, and what explains it to them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row, any::AnyRow};
use vigia_contract::data_model::Impact;

use super::{
    conversations::{self, Outline},
    corrupt, incidents,
    outbox::{self, Progress},
    stored, time,
};
use crate::{
    incident::Incident,
    route::{
        decision::{Decision, Reason, Recorded, Verdict},
        matcher::{Labels, Matcher},
        silence::{self, Draft, Refusal, Silence},
    },
};

/// Somebody takes care of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When they said so.
    pub at: Timestamp,
    /// Who.
    pub person: String,
    /// What they said; may be empty.
    pub comment: String,
}

/// An incident with everything that was decided and done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The incident.
    pub incident: Incident,
    /// What it is told with, by channel.
    pub conversations: Vec<Outline>,
    /// How far the messages about it came, in the order of their time.
    pub deliveries: Vec<Progress>,
    /// Why who was told, in the order of their time.
    pub decisions: Vec<Recorded>,
    /// Who takes care of it, the newest last.
    pub acknowledgements: Vec<Acknowledgement>,
}

/// Records why somebody, or nobody, is told.
pub(super) async fn decide(
    connection: &mut AnyConnection,
    incident: &str,
    at: Timestamp,
    decision: &Decision,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO decision (incident_id, at_ns, decision, verdict, channel, reason, about, until_ns)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(incident)
    .bind(stored(at))
    .bind(decision.to_string())
    .bind(decision.verdict.name())
    .bind(&decision.channel)
    .bind(decision.reason.name())
    .bind(decision.reason.about())
    .bind(decision.reason.until().map(stored))
    .execute(connection)
    .await
    .map(drop)
}

/// What was decided about an incident.
async fn of_incident(connection: &mut AnyConnection, incident: &str) -> Result<Vec<Recorded>> {
    let rows = sqlx::query("SELECT * FROM decision WHERE incident_id = $1 ORDER BY at_ns")
        .bind(incident)
        .fetch_all(connection)
        .await?;
    rows.iter().map(recorded).collect()
}

/// Whether it was decided that somebody is told of an incident, or that nobody is.
pub(super) async fn is_settled(connection: &mut AnyConnection, incident: &str) -> Result<bool> {
    let settled: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM decision WHERE incident_id = $1 AND verdict IN ('told', 'untold') LIMIT 1",
    )
    .bind(incident)
    .fetch_optional(connection)
    .await?;
    Ok(settled.is_some())
}

/// The channels on which the incident was told that goes on as this one.
pub(super) async fn channels_of_former(
    connection: &mut AnyConnection,
    incident: &str,
) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT DISTINCT conversation.channel FROM decision JOIN member ON member.incident_id = decision.incident_id
         JOIN conversation ON conversation.id = member.conversation_id
         WHERE decision.reason = 'goes_on_as' AND decision.about = $1 AND conversation.form = 'live'",
    )
    .bind(incident)
    .fetch_all(connection)
    .await
}

fn recorded(row: &AnyRow) -> Result<Recorded> {
    let verdict: &str = row.try_get("verdict")?;
    Ok(Recorded {
        at: time(row.try_get("at_ns")?),
        verdict: Verdict::from_name(verdict).ok_or_else(|| corrupt("verdict", verdict))?,
        channel: row.try_get("channel")?,
        reason: row.try_get("reason")?,
        about: row.try_get("about")?,
        until: row.try_get::<Option<i64>, _>("until_ns")?.map(time),
        sentence: row.try_get("decision")?,
    })
}

/// The incidents that are open, the oldest first, with everything about them.
pub(super) async fn open_cases(connection: &mut AnyConnection) -> Result<Vec<Case>> {
    let open = incidents::open(connection).await?;
    let mut cases = Vec::with_capacity(open.len());
    for incident in open {
        cases.push(case_of(connection, incident).await?);
    }
    Ok(cases)
}

/// The incidents that ended since this moment, the oldest first, with everything about them.
pub(super) async fn ended_cases(
    connection: &mut AnyConnection,
    since: Timestamp,
) -> Result<Vec<Case>> {
    let ended = incidents::ended(connection, since).await?;
    let mut cases = Vec::with_capacity(ended.len());
    for incident in ended {
        cases.push(case_of(connection, incident).await?);
    }
    Ok(cases)
}

/// The incident of this identity, open or not, with everything about it.
pub(super) async fn case(connection: &mut AnyConnection, id: &str) -> Result<Option<Case>> {
    match incidents::with_id(connection, id).await? {
        Some(incident) => case_of(connection, incident).await.map(Some),
        None => Ok(None),
    }
}

async fn case_of(connection: &mut AnyConnection, incident: Incident) -> Result<Case> {
    let id = incident.id.as_str();
    Ok(Case {
        conversations: conversations::of_incident(connection, id).await?,
        deliveries: outbox::of_incident(connection, id).await?,
        decisions: of_incident(connection, id).await?,
        acknowledgements: acknowledgements(connection, id).await?,
        incident,
    })
}

/// Who takes care of an incident, the newest last.
pub(super) async fn acknowledgements(
    connection: &mut AnyConnection,
    incident: &str,
) -> Result<Vec<Acknowledgement>> {
    let rows = sqlx::query("SELECT * FROM acknowledgement WHERE incident_id = $1 ORDER BY at_ns")
        .bind(incident)
        .fetch_all(connection)
        .await?;
    let read = |row: &AnyRow| {
        Ok(Acknowledgement {
            at: time(row.try_get("at_ns")?),
            person: row.try_get("person")?,
            comment: row.try_get("comment")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Somebody takes care of an incident, or of everything in a conversation, as far as it is open; gives the identities of the
/// incidents, none where there is nothing open of this identity.
pub(super) async fn acknowledge(
    connection: &mut AnyConnection,
    subject: &str,
    acknowledgement: &Acknowledgement,
) -> Result<Vec<String>> {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM incident WHERE ended_ns IS NULL
           AND (id = $1 OR id IN (SELECT incident_id FROM member WHERE conversation_id = $1)) ORDER BY id",
    )
    .bind(subject)
    .fetch_all(&mut *connection)
    .await?;
    for incident in &open {
        sqlx::query(
            "INSERT INTO acknowledgement (incident_id, at_ns, person, comment) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(incident)
        .bind(stored(acknowledgement.at))
        .bind(&acknowledgement.person)
        .bind(&acknowledgement.comment)
        .execute(&mut *connection)
        .await?;
        let decision = Decision {
            verdict: Verdict::Noted,
            channel: None,
            reason: Reason::Acknowledged(acknowledgement.person.clone()),
        };
        decide(connection, incident, acknowledgement.at, &decision).await?;
        incidents::changed(connection, incident).await?;
    }
    Ok(open)
}

/// Writes a silence down, or says why not.
pub(super) async fn silence(
    connection: &mut AnyConnection,
    draft: Draft,
    now: Timestamp,
) -> Result<std::result::Result<Silence, Vec<Refusal>>> {
    let rows = sqlx::query(
        "SELECT DISTINCT rule, system, journey, probe FROM observation WHERE impact = 'critical'",
    )
    .fetch_all(&mut *connection)
    .await?;
    let critical: BTreeSet<Labels<'_>> = rows
        .iter()
        .map(|row| {
            Ok(Labels {
                rule: row.try_get("rule")?,
                system: row.try_get("system")?,
                journey: row.try_get("journey")?,
                probe: row.try_get("probe")?,
                impact: Impact::Critical,
            })
        })
        .collect::<Result<_>>()?;
    // Short enough to be typed.
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM silence")
        .fetch_one(&mut *connection)
        .await?;
    let id = format!("s{}", count + 1);
    let accepted = silence::accept(draft, id, &critical, now);
    if let Ok(silence) = &accepted {
        put(connection, silence, now).await?;
    }
    Ok(accepted)
}

async fn put(connection: &mut AnyConnection, silence: &Silence, now: Timestamp) -> Result<()> {
    let lines = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.join("\n"));
    let Matcher {
        impact,
        system,
        journey,
        probe,
        rule,
    } = &silence.matcher;
    let impacts = impact.as_ref().map(|impacts| {
        impacts
            .iter()
            .map(|impact| impact.name().to_owned())
            .collect()
    });
    sqlx::query(
        "INSERT INTO silence (id, impacts, systems, journeys, probes, rules, starts_ns, ends_ns, author, comment, created_ns)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(&silence.id)
    .bind(lines(&impacts))
    .bind(lines(system))
    .bind(lines(journey))
    .bind(lines(probe))
    .bind(lines(rule))
    .bind(stored(silence.starts))
    .bind(stored(silence.ends))
    .bind(&silence.author)
    .bind(&silence.comment)
    .bind(stored(now))
    .execute(connection)
    .await
    .map(drop)
}

/// Ends a silence now; says whether there was one that had not ended.
pub(super) async fn end_silence(
    connection: &mut AnyConnection,
    id: &str,
    now: Timestamp,
) -> Result<bool> {
    let ended = sqlx::query("UPDATE silence SET ends_ns = $2 WHERE id = $1 AND ends_ns > $2")
        .bind(id)
        .bind(stored(now))
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() > 0)
}

/// The silences that are not over, those to come too.
pub(super) async fn silences(
    connection: &mut AnyConnection,
    now: Timestamp,
) -> Result<Vec<Silence>> {
    let rows = sqlx::query("SELECT * FROM silence WHERE ends_ns > $1 ORDER BY starts_ns, id")
        .bind(stored(now))
        .fetch_all(connection)
        .await?;
    rows.iter().map(read_silence).collect()
}

fn read_silence(row: &AnyRow) -> Result<Silence> {
    let lines = |column: &str| {
        let text: Option<String> = row.try_get(column)?;
        Ok::<_, sqlx::Error>(text.map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()))
    };
    let known = |name: &String| Impact::from_name(name).ok_or_else(|| corrupt("impacts", name));
    let impact = match lines("impacts")? {
        Some(names) => Some(names.iter().map(known).collect::<Result<_>>()?),
        None => None,
    };
    Ok(Silence {
        id: row.try_get("id")?,
        matcher: Matcher {
            impact,
            system: lines("systems")?,
            journey: lines("journeys")?,
            probe: lines("probes")?,
            rule: lines("rules")?,
        },
        starts: time(row.try_get("starts_ns")?),
        ends: time(row.try_get("ends_ns")?),
        author: row.try_get("author")?,
        comment: row.try_get("comment")?,
    })
}
