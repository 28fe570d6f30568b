//! What was decided about telling somebody of an incident, and why: of each message that is made, and of each that is not.

use std::fmt;

use jiff::Timestamp;

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
    /// A route sends it to this channel.
    Route,
    /// No route takes what it is: impact and system.
    NoRoute(String),
    /// It was over long before its runs arrived.
    OldNews,
    /// It goes on as this incident.
    GoesOnAs(String),
}

impl Reason {
    /// Its name in the store, by which a page finds its words.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::NoRoute(_) => "no_route",
            Self::OldNews => "old_news",
            Self::GoesOnAs(_) => "goes_on_as",
        }
    }

    /// What it names, if it names something.
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::NoRoute(about) | Self::GoesOnAs(about) => Some(about),
            Self::Route | Self::OldNews => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route => write!(to, "a route sends it there"),
            Self::NoRoute(what) => write!(to, "no route takes {what}"),
            Self::OldNews => write!(to, "it was over long before its runs arrived"),
            Self::GoesOnAs(id) => write!(to, "the end is not told: it goes on as `{id}`"),
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
    /// All of it as a sentence, in English.
    pub sentence: String,
}
