//! What was decided about telling somebody of an incident, and why: of each message that is made, and of each that is not.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// What a decision came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A message is made.
    Told,
    /// Not now: it is looked at again.
    Held,
    /// Nobody is told.
    Untold,
    /// Nothing about a message, and worth knowing.
    Noted,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Told, Self::Held, Self::Untold, Self::Noted];

    /// Its name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Held => "held",
            Self::Untold => "untold",
            Self::Noted => "noted",
        }
    }

    /// The verdict of this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A route sends it there.
    Route,
    /// Who was told of the incident that it follows, this one, is told of it too.
    GoesOnFrom(String),
    /// It is told inside this incident, which it follows from.
    Inside(String),
    /// The incident that it follows from, this one, is over, and it is not.
    CauseOver(String),
    /// Nobody said for so long that they take care of it.
    Repeat(SignedDuration),
    /// The same: others are told now.
    Escalation(SignedDuration),
    /// It is in the digest.
    Digest,
    /// The digest is told then.
    DigestAt(Timestamp),
    /// This silence mutes it until then.
    Silenced(String, Timestamp),
    /// This maintenance window is open until then.
    Maintenance(String, Timestamp),
    /// These working hours begin or end then; nothing where they never do.
    Hours(String, Option<Timestamp>),
    /// No route takes what it is: impact and system.
    NoRoute(String),
    /// It was over before the moment at which somebody was to be told.
    EndedBefore,
    /// It was over long before its runs arrived.
    OldNews,
    /// It goes on as this incident.
    GoesOnAs(String),
    /// This person takes care of it.
    Acknowledged(String),
    /// Nobody was told of something critical, which is this incident.
    Raised(String),
}

impl Reason {
    /// Its name in the store, by which a page finds its words.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::GoesOnFrom(_) => "goes_on_from",
            Self::Inside(_) => "inside",
            Self::CauseOver(_) => "cause_over",
            Self::Repeat(_) => "repeat",
            Self::Escalation(_) => "escalation",
            Self::Digest => "digest",
            Self::DigestAt(_) => "digest_at",
            Self::Silenced(..) => "silenced",
            Self::Maintenance(..) => "maintenance",
            Self::Hours(..) => "hours",
            Self::NoRoute(_) => "no_route",
            Self::EndedBefore => "ended_before",
            Self::OldNews => "old_news",
            Self::GoesOnAs(_) => "goes_on_as",
            Self::Acknowledged(_) => "acknowledged",
            Self::Raised(_) => "raised",
        }
    }

    /// What it names, if it names something.
    #[must_use]
    pub fn about(&self) -> Option<String> {
        match self {
            Self::GoesOnFrom(about)
            | Self::Inside(about)
            | Self::CauseOver(about)
            | Self::Silenced(about, _)
            | Self::Maintenance(about, _)
            | Self::Hours(about, _)
            | Self::NoRoute(about)
            | Self::GoesOnAs(about)
            | Self::Acknowledged(about)
            | Self::Raised(about) => Some(about.clone()),
            Self::Repeat(after) | Self::Escalation(after) => Some(format!("{after:#}")),
            Self::Route | Self::Digest | Self::DigestAt(_) | Self::EndedBefore | Self::OldNews => {
                None
            }
        }
    }

    /// Until when it holds, where it ends.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::DigestAt(until) | Self::Silenced(_, until) | Self::Maintenance(_, until) => {
                Some(*until)
            }
            Self::Hours(_, until) => *until,
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route => write!(to, "a route sends it there"),
            Self::GoesOnFrom(id) => write!(to, "it follows `{id}`, which was told there"),
            Self::Inside(id) => write!(to, "it is told inside `{id}`, which it follows from"),
            Self::CauseOver(id) => {
                write!(to, "`{id}`, which it followed from, is over, and it is not")
            }
            Self::Repeat(after) => {
                write!(to, "nobody said for {after:#} that they take care of it")
            }
            Self::Escalation(after) => write!(
                to,
                "nobody said for {after:#} that they take care of it, so others are told"
            ),
            Self::Digest => write!(to, "it is in the digest"),
            Self::DigestAt(at) => write!(to, "it is in the digest of {at}"),
            Self::Silenced(id, until) => write!(to, "the silence `{id}` mutes it until {until}"),
            Self::Maintenance(name, until) => {
                write!(to, "the maintenance window `{name}` is open until {until}")
            }
            Self::Hours(name, Some(until)) => {
                write!(to, "the working hours `{name}` keep it until {until}")
            }
            Self::Hours(name, None) => {
                write!(
                    to,
                    "the working hours `{name}` keep it, and never let it through"
                )
            }
            Self::NoRoute(what) => write!(to, "no route takes {what}"),
            Self::EndedBefore => {
                write!(
                    to,
                    "it was over before the moment at which somebody was to be told"
                )
            }
            Self::OldNews => write!(to, "it was over long before its runs arrived"),
            Self::GoesOnAs(id) => write!(to, "the end is not told: it goes on as `{id}`"),
            Self::Acknowledged(person) => write!(to, "{person} takes care of it"),
            Self::Raised(id) => write!(to, "nobody was told of it, which is the incident `{id}`"),
        }
    }
}

/// What was decided, before it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What it came to.
    pub verdict: Verdict,
    /// For which channel, where it is about one.
    pub channel: Option<String>,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Decision {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.verdict, &self.channel) {
            (Verdict::Told, Some(channel)) => write!(to, "told through `{channel}`: ")?,
            (Verdict::Held, Some(channel)) => write!(to, "not yet told through `{channel}`: ")?,
            (Verdict::Untold, Some(channel)) => write!(to, "not told through `{channel}`: ")?,
            (Verdict::Untold, None) => write!(to, "nobody is told: ")?,
            (Verdict::Held, None) => write!(to, "nobody is told yet: ")?,
            (Verdict::Told | Verdict::Noted, _) => {}
        }
        self.reason.fmt(to)
    }
}

/// A decision as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub verdict: Verdict,
    /// For which channel, where it is about one.
    pub channel: Option<String>,
    /// The name of the reason, see [`Reason::name`]; empty where an earlier version wrote it.
    pub reason: String,
    /// What the reason names.
    pub about: Option<String>,
    /// Until when it holds, where it ends.
    pub until: Option<Timestamp>,
    /// All of it as a sentence, in English.
    pub sentence: String,
}
