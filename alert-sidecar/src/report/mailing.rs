//! Mails the reports that are due: each month's once to each recipient, whatever happens in between. What is due, and how far
//! that came, is in the store.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use lettre::{
    Address,
    message::{
        Attachment, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use tokio::{sync::watch, time::sleep};

use super::{
    Maker,
    letter::{Enclosed, Letter},
    month::Month,
    schedule::Schedule,
};
use crate::{
    deliver::{Attempt, Channel, email::Email},
    store::{StoreError, ledger::Ledger, outbox::Settlement, reports::ReportMail},
};

/// How long to wait before what failed is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_mins(5);

/// The clock may be set meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// What mailing needs.
pub struct Mailing {
    /// Who makes the reports.
    pub maker: Maker,
    /// Those that are mailed.
    pub schedules: Vec<Schedule>,
    /// The ways to people, by name.
    pub channels: BTreeMap<String, Arc<Channel>>,
    /// The store.
    pub ledger: Ledger,
}

/// A report that is ready to be sent to anybody.
struct Ready {
    report: String,
    month: Month,
    letter: Letter,
    files: Vec<(String, &'static str, Vec<u8>)>,
}

impl Mailing {
    /// Mails until `stop` is set.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut ready = None;
        let mut is_recovered = false;
        while !*stop.borrow() {
            let now = Timestamp::now();
            let pause = tokio::select! {
                worked = self.work(&mut is_recovered, &mut ready, now) => match worked {
                    Ok(next) => Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default(),
                    Err(StoreError::Closed) => return drop(stop.changed().await),
                    Err(error) => {
                        tracing::error!(%error, "reports could not be mailed; it is tried again");
                        TRY_AGAIN_AFTER
                    }
                },
                _ = stop.changed() => return,
            };
            // What was made is kept for those who are to get it now, and no longer.
            ready = None;
            tokio::select! {
                () = sleep(pause.min(LONGEST_PAUSE)) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Sends what is due, and says when something is due next.
    async fn work(
        &self,
        is_recovered: &mut bool,
        ready: &mut Option<Ready>,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        if !*is_recovered {
            let interrupted = self.ledger.recover_reports().await?;
            if interrupted > 0 {
                tracing::warn!(
                    interrupted,
                    "reports may have been mailed when the last process died: they are repeated"
                );
            }
            *is_recovered = true;
        }
        let time_zone = self.maker.time_zone();
        let mut next = Timestamp::MAX;
        for schedule in &self.schedules {
            self.plan(schedule, now).await?;
            next = next.min(schedule.next(now, time_zone));
        }
        while let Some(mail) = self.ledger.due_report(now).await? {
            let settlement = self.send(&mail, ready, now).await?;
            log(&mail, &settlement);
            self.ledger.settle_report(&mail, settlement, now).await?;
        }
        let again = self.ledger.next_report().await?;
        Ok(again.map_or(next, |again| next.min(again)))
    }

    /// Writes down what is to be sent: every month that became due since the last one that was. Of a report that is new nothing is,
    /// because its months may have been before anybody wanted it.
    async fn plan(&self, schedule: &Schedule, now: Timestamp) -> Result<(), StoreError> {
        let due = schedule.newest_due(now, self.maker.time_zone());
        let newest = self.ledger.newest_report(&schedule.name).await?;
        let Some(newest) = newest.and_then(|month| month.parse::<Month>().ok()) else {
            let due = due.to_string();
            return self.ledger.begin_reports(&schedule.name, &due).await;
        };
        let mut months = Vec::new();
        let mut month = newest.after();
        while month <= due {
            months.push(month.to_string());
            month = month.after();
        }
        if months.is_empty() {
            return Ok(());
        }
        let recipients = self.recipients(schedule);
        self.ledger
            .intend_reports(&schedule.name, months, recipients, now)
            .await
    }

    fn recipients(&self, schedule: &Schedule) -> Vec<(String, String)> {
        let of_channel = |name: &String| {
            let channel = self.channels.get(name);
            let recipients = channel.map(|channel| channel.recipients());
            recipients
                .unwrap_or_default()
                .into_iter()
                .map(|recipient| (name.clone(), recipient))
                .collect::<Vec<_>>()
        };
        schedule.channels.iter().flat_map(of_channel).collect()
    }

    async fn send(
        &self,
        mail: &ReportMail,
        ready: &mut Option<Ready>,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        let refused = |why: &str| Ok(Settlement::Refused(why.to_owned()));
        let schedule = self
            .schedules
            .iter()
            .find(|schedule| schedule.name == mail.report);
        let Some(schedule) = schedule else {
            return refused("the report is not configured any more");
        };
        let Some(Channel::Email(email)) =
            self.channels.get(&mail.channel).map(|channel| &**channel)
        else {
            return refused("the channel is not configured any more");
        };
        let Ok(month) = mail.month.parse::<Month>() else {
            return refused("its month is none");
        };
        let is_ready = ready
            .as_ref()
            .is_some_and(|ready| ready.report == mail.report && ready.month == month);
        if !is_ready {
            match self.prepare(schedule, month, now).await {
                Ok(prepared) => *ready = Some(prepared),
                Err(error) => return Ok(postponed(format!("{error:#}"), now)),
            }
        }
        let Some(ready) = ready.as_ref() else {
            return refused("there is no report");
        };
        let (bytes, recipient) = match compose(email, mail, ready) {
            Ok(composed) => composed,
            Err(error) => return refused(&format!("{error:#}")),
        };
        self.ledger.send_report(mail).await?;
        Ok(
            match email.bring(&bytes, &recipient, mail.is_repeat).await {
                Attempt::Accepted(receipt) => Settlement::Accepted(receipt.answer),
                Attempt::Refused(reason) => Settlement::Refused(reason),
                Attempt::Failed { reason, .. } => postponed(reason, now),
                Attempt::Uncertain(reason) => Settlement::Uncertain(reason, now + TRY_AGAIN_AFTER),
            },
        )
    }

    async fn prepare(
        &self,
        schedule: &Schedule,
        month: Month,
        now: Timestamp,
    ) -> Result<Ready, anyhow::Error> {
        let maker = &self.maker;
        let report = maker.make(month, schedule.systems.as_deref(), now).await?;
        let html = maker.html(&report)?;
        let (enclosed, file) = match maker.pdf(&html).await {
            Ok(pdf) => (
                Enclosed::Pdf,
                (format!("vigia-{month}.pdf"), "application/pdf", pdf),
            ),
            Err(error) => {
                tracing::error!(%error, "the report goes without its PDF");
                let page = (
                    format!("vigia-{month}.html"),
                    "text/html; charset=utf-8",
                    html.into_bytes(),
                );
                (Enclosed::Page, page)
            }
        };
        let tables = maker.tables(&report)?.into_iter();
        let tables = tables.map(|(name, bytes)| {
            (
                format!("vigia-{month}-{name}"),
                "text/csv; charset=utf-8",
                bytes,
            )
        });
        Ok(Ready {
            report: schedule.name.clone(),
            month,
            letter: maker.letter(&report, enclosed)?,
            files: [file].into_iter().chain(tables).collect(),
        })
    }
}

fn postponed(reason: String, now: Timestamp) -> Settlement {
    Settlement::Postponed(reason, now + TRY_AGAIN_AFTER)
}

fn log(mail: &ReportMail, settlement: &Settlement) {
    let ReportMail {
        report,
        month,
        recipient,
        attempt,
        ..
    } = mail;
    match settlement {
        Settlement::Accepted(answer) => {
            tracing::info!(report, month, recipient, attempt, answer, "report mailed");
        }
        Settlement::Refused(reason) => {
            tracing::error!(
                report,
                month,
                recipient,
                reason,
                "a report will never be mailed"
            );
        }
        Settlement::Postponed(reason, _) | Settlement::Uncertain(reason, _) => {
            tracing::warn!(
                report,
                month,
                recipient,
                attempt,
                reason,
                "a report could not be mailed; it is tried again"
            );
        }
    }
}

fn compose(
    email: &Email,
    mail: &ReportMail,
    ready: &Ready,
) -> Result<(Vec<u8>, Address), anyhow::Error> {
    let recipient: Address = mail.recipient.parse()?;
    let domain = email.from.email.domain();
    let letter = &ready.letter;
    let alternatives = MultiPart::alternative()
        .singlepart(SinglePart::plain(letter.text.clone()))
        .singlepart(SinglePart::html(letter.html.clone()));
    let mut content = MultiPart::mixed().multipart(alternatives);
    for (name, media_type, bytes) in &ready.files {
        let file = Attachment::new(name.clone());
        content = content.singlepart(file.body(bytes.clone(), ContentType::parse(media_type)?));
    }
    // The same for each attempt, so that a server that has it already may drop the second.
    let identity = vigia_contract::slug::slug(&mail.report);
    let mut builder = lettre::Message::builder()
        .from(email.from.clone())
        .to(lettre::message::Mailbox::new(None, recipient.clone()))
        .subject(&letter.subject)
        .date(SystemTime::now())
        .message_id(Some(format!(
            "<report.{identity}.{}@{domain}>",
            ready.month
        )));
    let list = format!("Vigia <reports.vigia.{domain}>");
    let mut headers = vec![
        // RFC 3834, and what Exchange asks for: nobody's absence note answers a report.
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("List-Id", list.as_str()),
        ("X-Vigia-Message", "report"),
    ];
    if mail.is_repeat {
        headers.push(("X-Vigia-Repeat", "true"));
    }
    for (name, value) in headers {
        let name = HeaderName::new_from_ascii_str(name);
        builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
    }
    Ok((builder.multipart(content)?.formatted(), recipient))
}
