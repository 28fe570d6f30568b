//! What is to be done about an incident now, and when it is to be looked at again. Pure: what is known and a moment go in, steps
//! with their reasons come out.
//!
//! It is asked when the incident opens, when it ends, and whenever something may have changed. It compares who should know by
//! now with who was told; so it does not matter how much time has passed, or whether the configuration was another one then.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Impact;

use super::{
    decision::Reason,
    dependency::Dependencies,
    hours::next_at,
    maintenance::Maintenance,
    matcher::Labels,
    silence::Silence,
    tree::{Route, When, takers},
};
use crate::incident::{Incident, untold};

/// How long something critical may be known of while nobody has it.
pub const UNTOLD_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// What counts for all incidents.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// Who is told.
    pub routes: &'a [Route],
    /// The planned windows.
    pub maintenance: &'a [Maintenance],
    /// What people muted.
    pub silences: &'a [Silence],
    /// What follows from what.
    pub dependencies: &'a Dependencies,
    /// Open incidents that others may follow from, and the channel that they are told on.
    pub causes: &'a [(Incident, String)],
}

/// What was done about an incident so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When it was known of first.
    pub known_at: Timestamp,
    /// Where it was told, or is about to be.
    pub told: Vec<Told>,
    /// The channels on which the incident that it follows was told.
    pub heirs: Vec<String>,
    /// Whether somebody takes care of it.
    pub is_acknowledged: bool,
    /// When the last digest was told that it was in.
    pub digested_at: Option<Timestamp>,
    /// Whether it is an incident already that nobody was told of it.
    pub is_raised: bool,
}

/// One channel on which it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The channel.
    pub channel: String,
    /// Since when it is to be told there.
    pub since: Timestamp,
    /// When it was last to be told there.
    pub last: Timestamp,
    /// How far that came.
    pub reach: Reach,
}

/// How far the first message on a channel came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It waits, or is being sent.
    Waiting,
    /// Somebody has it.
    Accepted,
    /// Nobody will ever have it.
    Refused,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// In this order.
    pub steps: Vec<Step>,
    /// When something may be to be done again.
    pub next: Option<Timestamp>,
}

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is told on this channel.
    Open(String, Reason),
    /// It is told on this channel, as part of what is told there of this incident.
    Join(String, String),
    /// It is told again on this channel.
    Remind(String, Reason),
    /// It is told on this channel, where others were told before.
    Escalate(String, Reason),
    /// It goes into the digest of this channel.
    Digest(String),
    /// It is not told now; on no channel, where none is named.
    Hold(Option<String>, Reason),
    /// Nobody is told.
    Nobody(Reason),
    /// That nobody was told becomes an incident.
    Raise(Reason),
}

/// What is to be done about this incident now.
#[must_use]
pub fn look(
    incident: &Incident,
    standing: &Standing,
    outlook: Outlook<'_>,
    now: Timestamp,
) -> Look {
    let labels = Labels::from(incident);
    let routes = takers(labels, outlook.routes);
    let mut look = Look {
        steps: Vec::new(),
        next: None,
    };
    let is_digested = |route: &&Route| matches!(route.when, When::Digest(..));
    if incident.end.is_some() && !routes.iter().any(is_digested) {
        return look;
    }
    let is_for_nobody = routes.is_empty() && standing.heirs.is_empty();
    if let (Some(reason), false) = (muted(labels, outlook, now), is_for_nobody) {
        look.again_at(reason.until());
        look.steps.push(Step::Hold(None, reason));
        return look;
    }
    look.digest(incident, standing, &routes, now);
    if incident.end.is_some() {
        return look;
    }
    if is_for_nobody {
        let what = format!(
            "the impact `{}` of the system `{}`",
            incident.impact, incident.series.system
        );
        look.steps.push(Step::Nobody(Reason::NoRoute(what)));
    }
    look.open(incident, standing, &routes, outlook, now);
    if !standing.is_acknowledged {
        look.insist(standing, &routes, now);
    }
    look.raise(incident, standing, now);
    look
}

/// Why nobody is to be told of it now.
fn muted(labels: Labels<'_>, outlook: Outlook<'_>, now: Timestamp) -> Option<Reason> {
    let silences = outlook.silences.iter();
    let silence = silences
        .filter(|silence| silence.mutes(labels, now))
        .max_by_key(|silence| silence.ends);
    if let Some(silence) = silence {
        return Some(Reason::Silenced(silence.id.clone(), silence.ends));
    }
    let windows = outlook.maintenance.iter();
    windows
        .filter_map(|window| Some((window, window.mutes(labels, now)?)))
        .max_by_key(|(_, until)| *until)
        .map(|(window, until)| Reason::Maintenance(window.name.clone(), until))
}

impl Look {
    fn again_at(&mut self, at: Option<Timestamp>) {
        self.next = match (self.next, at) {
            (Some(next), Some(at)) => Some(next.min(at)),
            (next, at) => next.or(at),
        };
    }

    /// Those who read it once a day: what is over too, until they have read that.
    fn digest(
        &mut self,
        incident: &Incident,
        standing: &Standing,
        routes: &[&Route],
        now: Timestamp,
    ) {
        let ended_at = incident.end.as_ref().map(|end| end.at);
        if ended_at.is_some_and(|ended| standing.digested_at > Some(ended)) {
            return;
        }
        let since = standing.digested_at.unwrap_or(standing.known_at);
        for route in routes {
            let When::Digest(time, time_zone) = &route.when else {
                continue;
            };
            let due = next_at(*time, time_zone, since);
            for target in &route.channels {
                let channel = target.channel(now).to_owned();
                self.steps.push(if due <= now {
                    Step::Digest(channel)
                } else {
                    Step::Hold(Some(channel), Reason::DigestAt(due))
                });
            }
            if due > now {
                self.again_at(Some(due));
            } else if ended_at.is_none() {
                self.again_at(Some(next_at(*time, time_zone, now)));
            }
        }
    }

    /// Those who do not know yet.
    fn open(
        &mut self,
        incident: &Incident,
        standing: &Standing,
        routes: &[&Route],
        outlook: Outlook<'_>,
        now: Timestamp,
    ) {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for route in routes {
            let held = match &route.when {
                When::Digest(..) => continue,
                When::In(hours) if !hours.contain(now) => {
                    Some(Reason::Hours(hours.name.clone(), hours.next(now)))
                }
                When::Outside(hours) if hours.contain(now) => {
                    Some(Reason::Hours(hours.name.clone(), hours.end(now)))
                }
                When::Now | When::In(_) | When::Outside(_) => None,
            };
            for target in &route.channels {
                let channel = target.channel(now);
                let mut told = standing.told.iter();
                if told.any(|told| target.is_reached_by(&told.channel)) || known.contains(channel) {
                    continue;
                }
                if let Some(reason) = &held {
                    self.again_at(reason.until());
                    self.steps
                        .push(Step::Hold(Some(channel.to_owned()), reason.clone()));
                    continue;
                }
                known.insert(channel);
                self.steps
                    .push(first(incident, channel, Reason::Route, outlook));
            }
        }
        for channel in &standing.heirs {
            let is_told = standing.told.iter().any(|told| told.channel == *channel);
            if !is_told && known.insert(channel) {
                let reason = Reason::GoesOnFrom(String::new());
                self.steps.push(first(incident, channel, reason, outlook));
            }
        }
    }

    /// Those who know, and those who are told next.
    fn insist(&mut self, standing: &Standing, routes: &[&Route], now: Timestamp) {
        let mut reminded: BTreeSet<&str> = BTreeSet::new();
        for route in routes {
            for told in &standing.told {
                let mut targets = route.channels.iter();
                let Some(repeat) = route.repeat else { break };
                if !targets.any(|target| target.is_reached_by(&told.channel)) {
                    continue;
                }
                let due = told.last + repeat;
                if due > now || told.reach != Reach::Accepted {
                    self.again_at(Some(due.max(now + repeat / 10)));
                } else if reminded.insert(&told.channel) {
                    let channel = told.channel.clone();
                    self.steps
                        .push(Step::Remind(channel, Reason::Repeat(repeat)));
                    self.again_at(Some(now + repeat));
                }
            }
            let Some(first) = standing.told.iter().map(|told| told.since).min() else {
                continue;
            };
            for escalation in &route.escalate {
                let due = first + escalation.after;
                if due > now {
                    self.again_at(Some(due));
                    continue;
                }
                for target in &escalation.channels {
                    let mut told = standing.told.iter();
                    let channel = target.channel(now);
                    if !told.any(|told| target.is_reached_by(&told.channel))
                        && reminded.insert(channel)
                    {
                        let reason = Reason::Escalation(escalation.after);
                        self.steps.push(Step::Escalate(channel.to_owned(), reason));
                    }
                }
            }
        }
    }

    /// Whether it is an incident of its own that nobody was told.
    fn raise(&mut self, incident: &Incident, standing: &Standing, now: Timestamp) {
        let mut told = standing.told.iter();
        if incident.impact != Impact::Critical
            || incident.rule == untold::RULE
            || standing.is_raised
            || told.any(|told| told.reach == Reach::Accepted)
        {
            return;
        }
        let is_told_now = self
            .steps
            .iter()
            .any(|step| matches!(step, Step::Open(..) | Step::Join(..) | Step::Escalate(..)));
        let is_hopeless = !is_told_now
            && standing
                .told
                .iter()
                .all(|told| told.reach == Reach::Refused);
        let first = standing.told.iter().map(|told| told.since).min();
        let since = if is_told_now && first.is_none() {
            now
        } else {
            first.unwrap_or(standing.known_at)
        };
        let due = since + UNTOLD_AFTER;
        let is_held = self.steps.iter().any(|step| matches!(step, Step::Hold(..)));
        if due <= now || (is_hopeless && !is_held) {
            let reason = Reason::Raised(untold::id_of(incident));
            self.steps.push(Step::Raise(reason));
        } else {
            self.again_at(Some(due));
        }
    }
}

/// The first word on a channel: inside what it follows from, where that is told there.
fn first(incident: &Incident, channel: &str, reason: Reason, outlook: Outlook<'_>) -> Step {
    let cause = outlook.causes.iter().find(|(cause, told_on)| {
        told_on == channel && outlook.dependencies.explains(cause, incident)
    });
    match cause {
        Some((cause, _)) => Step::Join(channel.to_owned(), cause.id.clone()),
        None => Step::Open(channel.to_owned(), reason),
    }
}
