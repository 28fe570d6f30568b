//! Which reports were mailed, to whom, and how far that came: each is sent once, whatever happens between two attempts.

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row, any::AnyRow};

use super::{StoreError, ledger::Ledger, outbox::Settlement, stored, time};

/// A month's report for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportMail {
    /// The report's name in the configuration.
    pub report: String,
    /// Year and month.
    pub month: String,
    /// The channel's name.
    pub channel: String,
    /// Whom it goes to.
    pub recipient: String,
    /// Counted from 1.
    pub attempt: usize,
    /// Whether an earlier attempt may have arrived.
    pub is_repeat: bool,
}

impl Ledger {
    /// What an earlier process was interrupted in may have arrived; it is sent once more, as a repeat. Says how many these are.
    pub async fn recover_reports(&self) -> Result<u64, StoreError> {
        self.write(|transaction, _| Box::pin(recover(transaction)))
            .await
    }

    /// The newest month of which a report was, or was not to be, sent; nothing where the report is new.
    pub async fn newest_report(&self, report: &str) -> Result<Option<String>, StoreError> {
        let report = report.to_owned();
        self.read(|connection| Box::pin(async move { newest_month(connection, &report).await }))
            .await
    }

    /// Writes down that this month, and what was before it, is not to be sent.
    pub async fn begin_reports(&self, report: &str, month: &str) -> Result<(), StoreError> {
        let (report, month) = (report.to_owned(), month.to_owned());
        self.write(|transaction, _| {
            Box::pin(async move { begin_after(transaction, &report, &month).await })
        })
        .await
    }

    /// Writes the intent to send these months down, to each recipient (a channel and an address) once.
    pub async fn intend_reports(
        &self,
        report: &str,
        months: Vec<String>,
        recipients: Vec<(String, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let report = report.to_owned();
        self.write(move |transaction, _| {
            Box::pin(async move {
                for month in &months {
                    for (channel, recipient) in &recipients {
                        intend(
                            transaction,
                            &report,
                            month,
                            (channel.as_str(), recipient.as_str()),
                            now,
                        )
                        .await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// The next one that is due, the oldest month first. It is not marked: making the report comes before sending it.
    pub async fn due_report(&self, now: Timestamp) -> Result<Option<ReportMail>, StoreError> {
        self.read(move |connection| Box::pin(due(connection, now)))
            .await
    }

    /// When the next one is due.
    pub async fn next_report(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|connection| Box::pin(next_due(connection))).await
    }

    /// Marks it as being sent.
    pub async fn send_report(&self, mail: &ReportMail) -> Result<(), StoreError> {
        let mail = mail.clone();
        self.write(|transaction, _| Box::pin(async move { send(transaction, &mail).await }))
            .await
    }

    /// Writes down what came of it.
    pub async fn settle_report(
        &self,
        mail: &ReportMail,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mail = mail.clone();
        self.write(move |transaction, _| {
            Box::pin(async move { settle(transaction, &mail, &settlement, now).await })
        })
        .await
    }
}

async fn newest_month(connection: &mut AnyConnection, report: &str) -> Result<Option<String>> {
    sqlx::query_scalar("SELECT MAX(month) FROM report_mail WHERE report = $1")
        .bind(report)
        .fetch_one(connection)
        .await
}

async fn begin_after(connection: &mut AnyConnection, report: &str, month: &str) -> Result<()> {
    insert(
        connection,
        [report, month, "", ""],
        "not_sent",
        Timestamp::UNIX_EPOCH,
    )
    .await
}

async fn intend(
    connection: &mut AnyConnection,
    report: &str,
    month: &str,
    (channel, recipient): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    insert(
        connection,
        [report, month, channel, recipient],
        "pending",
        now,
    )
    .await
}

async fn insert(
    connection: &mut AnyConnection,
    [report, month, channel, recipient]: [&str; 4],
    state: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO report_mail (report, month, channel, recipient, state, attempt, uncertain, next_attempt_ns)
         VALUES ($1, $2, $3, $4, $5, 0, 0, $6) ON CONFLICT DO NOTHING",
    )
    .bind(report)
    .bind(month)
    .bind(channel)
    .bind(recipient)
    .bind(state)
    .bind(stored(now))
    .execute(connection)
    .await
    .map(drop)
}

async fn recover(connection: &mut AnyConnection) -> Result<u64> {
    sqlx::query("UPDATE report_mail SET state = 'pending', uncertain = 1 WHERE state = 'sending'")
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}

async fn due(connection: &mut AnyConnection, now: Timestamp) -> Result<Option<ReportMail>> {
    sqlx::query(
        "SELECT * FROM report_mail WHERE state = 'pending' AND next_attempt_ns <= $1
         ORDER BY month, report, channel, recipient LIMIT 1",
    )
    .bind(stored(now))
    .fetch_optional(connection)
    .await?
    .as_ref()
    .map(mail)
    .transpose()
}

async fn next_due(connection: &mut AnyConnection) -> Result<Option<Timestamp>> {
    sqlx::query_scalar("SELECT MIN(next_attempt_ns) FROM report_mail WHERE state = 'pending'")
        .fetch_one(connection)
        .await
        .map(|due: Option<i64>| due.map(time))
}

async fn send(connection: &mut AnyConnection, mail: &ReportMail) -> Result<()> {
    let change = "UPDATE report_mail SET state = 'sending', attempt = attempt + 1
         WHERE report = $1 AND month = $2 AND channel = $3 AND recipient = $4";
    sqlx::query(change)
        .bind(&mail.report)
        .bind(&mail.month)
        .bind(&mail.channel)
        .bind(&mail.recipient)
        .execute(connection)
        .await
        .map(drop)
}

async fn settle(
    connection: &mut AnyConnection,
    mail: &ReportMail,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<()> {
    let (state, answer, next, uncertain) = match settlement {
        Settlement::Accepted(answer) => ("accepted", answer, None, false),
        Settlement::Refused(answer) => ("refused", answer, None, false),
        Settlement::Postponed(answer, until) => ("pending", answer, Some(*until), false),
        Settlement::Uncertain(answer, until) => ("pending", answer, Some(*until), true),
    };
    sqlx::query(
        "UPDATE report_mail SET state = $1, answer = $2, next_attempt_ns = COALESCE($3, next_attempt_ns),
                                uncertain = CASE WHEN $4 THEN 1 ELSE uncertain END, settled_ns = $5
         WHERE report = $6 AND month = $7 AND channel = $8 AND recipient = $9",
    )
    .bind(state)
    .bind(answer)
    .bind(next.map(stored))
    .bind(uncertain)
    .bind(next.is_none().then(|| stored(now)))
    .bind(&mail.report)
    .bind(&mail.month)
    .bind(&mail.channel)
    .bind(&mail.recipient)
    .execute(connection)
    .await
    .map(drop)
}

fn mail(row: &AnyRow) -> Result<ReportMail> {
    let attempt: i64 = row.try_get("attempt")?;
    let uncertain: i64 = row.try_get("uncertain")?;
    Ok(ReportMail {
        report: row.try_get("report")?,
        month: row.try_get("month")?,
        channel: row.try_get("channel")?,
        recipient: row.try_get("recipient")?,
        attempt: usize::try_from(attempt).unwrap_or(0) + 1,
        is_repeat: uncertain == 1,
    })
}
