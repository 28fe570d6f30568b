//! The queries that are shipped, and how each is judged where the operator does not say otherwise.

use std::time::Duration;

use serde::Deserialize;

use super::{
    Rule, Trouble,
    rule::{Bad, Meaning, Weight},
};
use crate::judge::{Criteria, Limit, Probes, Threshold, silence::Silence};

/// The queries that are shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShippedQuery {
    /// Every run of every journey; those that failed count.
    JourneysFailed,
    /// Every run of every journey; those that took longer than a step's budget count.
    JourneysSlow,
    /// Every completed run, held against the same hour of the week.
    JourneysSlowerThanUsual,
    /// The last point of every journey.
    JourneysSilent,
    /// Every run that got through; those with another selector than the one that is meant count.
    JourneysDrifting,
    /// How long the certificates that Telegraf looks at are valid.
    CertificatesExpiring,
    /// Telegraf's `cpu`.
    ServersCpu,
    /// Telegraf's `mem`.
    ServersMemory,
    /// Telegraf's `disk`.
    ServersDisk,
    /// Telegraf's `systemd_units`.
    ServicesSystemd,
    /// Telegraf's `procstat`.
    ServicesProcesses,
    /// Telegraf's `http_response`.
    ServicesHttp,
    /// Telegraf's `net_response`.
    ServicesPorts,
}

impl ShippedQuery {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::JourneysFailed,
        Self::JourneysSlow,
        Self::JourneysSlowerThanUsual,
        Self::JourneysSilent,
        Self::JourneysDrifting,
        Self::CertificatesExpiring,
        Self::ServersCpu,
        Self::ServersMemory,
        Self::ServersDisk,
        Self::ServicesSystemd,
        Self::ServicesProcesses,
        Self::ServicesHttp,
        Self::ServicesPorts,
    ];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JourneysFailed => "journeys-failed",
            Self::JourneysSlow => "journeys-slow",
            Self::JourneysSlowerThanUsual => "journeys-slower-than-usual",
            Self::JourneysSilent => "journeys-silent",
            Self::JourneysDrifting => "journeys-drifting",
            Self::CertificatesExpiring => "certificates-expiring",
            Self::ServersCpu => "servers-cpu",
            Self::ServersMemory => "servers-memory",
            Self::ServersDisk => "servers-disk",
            Self::ServicesSystemd => "services-systemd",
            Self::ServicesProcesses => "services-processes",
            Self::ServicesHttp => "services-http",
            Self::ServicesPorts => "services-ports",
        }
    }

    /// Its Flux.
    #[must_use]
    pub const fn flux(self) -> &'static str {
        match self {
            Self::JourneysFailed => include_str!("queries/journeys-failed.flux"),
            Self::JourneysSlow => include_str!("queries/journeys-slow.flux"),
            Self::JourneysSlowerThanUsual => {
                include_str!("queries/journeys-slower-than-usual.flux")
            }
            Self::JourneysSilent => include_str!("queries/journeys-silent.flux"),
            Self::JourneysDrifting => include_str!("queries/journeys-drifting.flux"),
            Self::CertificatesExpiring => include_str!("queries/certificates-expiring.flux"),
            Self::ServersCpu => include_str!("queries/servers-cpu.flux"),
            Self::ServersMemory => include_str!("queries/servers-memory.flux"),
            Self::ServersDisk => include_str!("queries/servers-disk.flux"),
            Self::ServicesSystemd => include_str!("queries/services-systemd.flux"),
            Self::ServicesProcesses => include_str!("queries/services-processes.flux"),
            Self::ServicesHttp => include_str!("queries/services-http.flux"),
            Self::ServicesPorts => include_str!("queries/services-ports.flux"),
        }
    }

    /// Whether it brings the newest point only of what it is about; asked in windows, more than the newest of each.
    #[must_use]
    pub const fn brings_the_newest(self) -> bool {
        matches!(
            self,
            Self::CertificatesExpiring
                | Self::ServersDisk
                | Self::ServicesSystemd
                | Self::ServicesProcesses
                | Self::ServicesHttp
                | Self::ServicesPorts
        )
    }

    const fn trouble(self) -> Option<Trouble> {
        match self {
            Self::JourneysFailed => None,
            Self::JourneysSlow => Some(Trouble::Slow),
            Self::JourneysSlowerThanUsual => Some(Trouble::SlowerThanUsual),
            Self::JourneysSilent => Some(Trouble::Silent),
            Self::JourneysDrifting => Some(Trouble::Drift),
            Self::CertificatesExpiring => Some(Trouble::Certificate),
            Self::ServersCpu => Some(Trouble::Cpu),
            Self::ServersMemory => Some(Trouble::Memory),
            Self::ServersDisk => Some(Trouble::Disk),
            Self::ServicesSystemd => Some(Trouble::Service),
            Self::ServicesProcesses => Some(Trouble::Process),
            Self::ServicesHttp => Some(Trouble::Http),
            Self::ServicesPorts => Some(Trouble::Port),
        }
    }

    /// In per cent, or days.
    const fn limit(self) -> Option<Limit> {
        match self {
            Self::ServersCpu => Some(Limit::Above {
                bad: 95.0,
                good: 85.0,
            }),
            Self::ServersMemory => Some(Limit::Above {
                bad: 95.0,
                good: 90.0,
            }),
            Self::ServersDisk => Some(Limit::Above {
                bad: 90.0,
                good: 85.0,
            }),
            Self::CertificatesExpiring => Some(Limit::Below {
                bad: 21.0,
                good: 30.0,
            }),
            _ => None,
        }
    }

    /// The rule that asks it, as it is shipped.
    pub(super) fn rule(self, name: &str) -> Rule {
        let (every, overlap) = match self {
            Self::JourneysFailed => (Duration::from_secs(2), Duration::from_mins(5)),
            Self::JourneysSlow => (Duration::from_secs(10), Duration::from_mins(5)),
            // Whoever starts the program wants to know of those that fell silent lately, too.
            Self::JourneysSilent => (Duration::from_secs(10), Duration::from_hours(1)),
            // Telegraf looks at certificates seldom.
            Self::CertificatesExpiring => (Duration::from_mins(10), Duration::from_hours(24)),
            Self::JourneysSlowerThanUsual
            | Self::JourneysDrifting
            | Self::ServersCpu
            | Self::ServersMemory
            | Self::ServersDisk => (Duration::from_mins(1), Duration::from_mins(5)),
            Self::ServicesSystemd
            | Self::ServicesProcesses
            | Self::ServicesHttp
            | Self::ServicesPorts => (Duration::from_secs(30), Duration::from_mins(5)),
        };
        let run_based = Criteria {
            fails_after: Threshold::default(),
            probes: Probes::Together(2),
            ..Criteria::FIRST
        };
        let criteria = match self {
            Self::JourneysFailed | Self::JourneysSlow | Self::JourneysSlowerThanUsual => run_based,
            // Whoever wrote the journey is to mend it, wherever it drifts.
            Self::JourneysDrifting => Criteria {
                probes: Probes::Together(1),
                ..run_based
            },
            Self::ServersCpu | Self::ServersMemory => Criteria {
                lasting: Duration::from_mins(10),
                ..Criteria::FIRST
            },
            Self::ServicesHttp | Self::ServicesPorts | Self::ServicesProcesses => Criteria {
                fails_after: Threshold::default(),
                ..Criteria::FIRST
            },
            Self::JourneysSilent
            | Self::CertificatesExpiring
            | Self::ServersDisk
            | Self::ServicesSystemd => Criteria::FIRST,
        };
        let weight = match self {
            Self::JourneysFailed | Self::JourneysSilent => Weight::AsTagged,
            Self::JourneysSlow | Self::JourneysSlowerThanUsual => Weight::OneLower,
            Self::JourneysDrifting => Weight::Fixed(vigia_contract::data_model::Impact::Low),
            _ => Weight::TaggedOrLow,
        };
        Rule {
            name: name.to_owned(),
            flux: self.flux().to_owned(),
            every,
            overlap,
            meaning: Meaning {
                bad: match self {
                    Self::JourneysSlow | Self::JourneysSlowerThanUsual => Bad::Slow,
                    _ => Bad::Failed,
                },
                limit: self.limit(),
                weight,
                trouble: self.trouble(),
            },
            criteria,
            silence: (self == Self::JourneysSilent).then(|| Silence {
                intervals: 3,
                slack: Duration::from_secs(30),
                retired: Vec::new(),
            }),
        }
    }
}
