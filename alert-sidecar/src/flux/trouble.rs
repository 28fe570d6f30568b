//! What kind of trouble a row tells of, where it is not a journey that failed: each kind has words of its own.

/// The kinds; their names stand where a journey that failed has its class of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A journey took longer than its budget.
    Slow,
    /// A journey took longer than it usually does at this hour of the week.
    SlowerThanUsual,
    /// Nothing comes from a journey.
    Silent,
    /// Nothing comes from a robot.
    ProbeSilent,
    /// A journey gets through, by another selector than the one that is meant.
    Drift,
    /// A certificate is near its end.
    Certificate,
    /// A server's processors.
    Cpu,
    /// A server's memory.
    Memory,
    /// A server's file system.
    Disk,
    /// A unit of systemd.
    Service,
    /// A process.
    Process,
    /// An address that is asked by HTTP.
    Http,
    /// A port.
    Port,
    /// What an operator's own query tells.
    Custom,
    /// No rule can be asked.
    Blind,
    /// One rule cannot be asked.
    RuleBlind,
    /// Nobody was told of something critical.
    Untold,
    /// A channel brings nothing to somebody.
    Undelivered,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Slow,
        Self::SlowerThanUsual,
        Self::Silent,
        Self::ProbeSilent,
        Self::Drift,
        Self::Certificate,
        Self::Cpu,
        Self::Memory,
        Self::Disk,
        Self::Service,
        Self::Process,
        Self::Http,
        Self::Port,
        Self::Custom,
        Self::Blind,
        Self::RuleBlind,
        Self::Untold,
        Self::Undelivered,
    ];

    /// Its name, as the field `error_class` of `journey_incident` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::SlowerThanUsual => "slower_than_usual",
            Self::Silent => "silent",
            Self::ProbeSilent => "probe_silent",
            Self::Drift => "drift",
            Self::Certificate => "certificate",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Service => "service",
            Self::Process => "process",
            Self::Http => "http",
            Self::Port => "port",
            Self::Custom => "custom",
            Self::Blind => "blind",
            Self::RuleBlind => "rule_blind",
            Self::Untold => "untold",
            Self::Undelivered => "undelivered",
        }
    }

    /// The kind with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.name() == name)
    }

    /// Whether it is about a journey, whose name people know.
    #[must_use]
    pub const fn is_about_a_journey(self) -> bool {
        matches!(
            self,
            Self::Slow | Self::SlowerThanUsual | Self::Silent | Self::Drift
        )
    }

    /// Whether it was seen in a run of a journey, which may have left a picture.
    #[must_use]
    pub const fn is_seen_in_a_run(self) -> bool {
        matches!(self, Self::Slow | Self::SlowerThanUsual | Self::Drift)
    }
}
