//! The names of measurements, tags and fields, and the closed sets that their values come from.
//!
//! A name here is a promise to every dashboard, rule and query out there: renaming one, or changing a field's type, is a
//! breaking change. Identity is in tags, outcome in fields; timestamps are nanoseconds, the start of the run.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// Measurements: what one point is about.
pub mod measurement {
    /// One point for every scheduled run of a journey, whatever became of it.
    pub const JOURNEY: &str = "journey";
    /// One point for every step that a run reached.
    pub const JOURNEY_STEP: &str = "journey_step";
    /// One point for every document that a run loaded, by the browser's own performance entries.
    pub const JOURNEY_PAGE: &str = "journey_page";
    /// The picture of a journey that turned bad, or well again.
    pub const JOURNEY_SCREENSHOT: &str = "journey_screenshot";
    /// The plugin about itself.
    pub const PROBE: &str = "probe";
    /// An incident, written by the alert sidecar.
    pub const JOURNEY_INCIDENT: &str = "journey_incident";
    /// One point for every message that a channel took, or refused for good, written by the alert sidecar.
    pub const ALERT_DELIVERY: &str = "alert_delivery";
}

/// Tags: which journey, seen from where.
pub mod tag {
    /// What users call the thing that they use.
    pub const SYSTEM: &str = "system";
    /// One user workflow through a system.
    pub const JOURNEY: &str = "journey";
    /// One running plugin, at one place.
    pub const PROBE: &str = "probe";
    /// How much it matters: see [`super::Impact`].
    pub const IMPACT: &str = "impact";
    /// The slug of a step's name.
    pub const STEP: &str = "step";
    /// The name of a channel, as the alert sidecar's configuration has it.
    pub const CHANNEL: &str = "channel";
}

/// Fields: what became of it. The unit is part of the name.
pub mod field {
    /// 1i when users can work, 0i otherwise.
    pub const OK: &str = "ok";
    /// 1i when the run says something about the system, 0i when it does not (the probe's own fault, missed).
    pub const VALID: &str = "valid";
    /// The outcome's name: see [`super::Outcome`].
    pub const RESULT: &str = "result";
    /// The outcome's number.
    pub const RESULT_CODE: &str = "result_code";
    /// Float, milliseconds; only where the run or step was completed.
    pub const DURATION_MS: &str = "duration_ms";
    /// Float, milliseconds: what the step may take before it is slow.
    pub const BUDGET_MS: &str = "budget_ms";
    /// Integer: how many times the journey was tried inside the run.
    pub const ATTEMPTS: &str = "attempts";
    /// Integer: steps that ended ok or slow.
    pub const STEPS_OK: &str = "steps_ok";
    /// Integer: steps that the journey has.
    pub const STEPS_TOTAL: &str = "steps_total";
    /// The name of the step that failed, as a person reads it.
    pub const FAILED_STEP: &str = "failed_step";
    /// Why it failed: see [`super::ErrorClass`].
    pub const ERROR_CLASS: &str = "error_class";
    /// Why it failed, one line, at most [`super::ERROR_MAX_CHARACTERS`].
    pub const ERROR: &str = "error";
    /// Selectors that had to stand in for those that are meant, each with its step.
    pub const DRIFT: &str = "drift";
    /// The address of the page at the end of the run.
    pub const URL: &str = "url";
    /// Integer: the HTTP status of the last document.
    pub const HTTP_STATUS: &str = "http_status";
    /// The run's identity, unique for ever.
    pub const RUN_ID: &str = "run_id";
    /// The key of the run's artifacts in the artifact store.
    pub const ARTIFACT: &str = "artifact";
    /// Float, seconds: how often the journey runs, so that it is noticed when it no longer does.
    pub const EVERY_S: &str = "every_s";
    /// Float, milliseconds: how long the run waited for a free slot.
    pub const QUEUED_MS: &str = "queued_ms";
    /// Integer: a step's place in its journey, from 0.
    pub const INDEX: &str = "index";
    /// A `data:image/...;base64,` URI of at most [`super::IMAGE_MAX_BYTES`].
    pub const IMAGE: &str = "image";
    /// Integer, pixels.
    pub const WIDTH: &str = "width";
    /// Integer, pixels.
    pub const HEIGHT: &str = "height";
    /// Float, milliseconds: the first byte of the document's answer.
    pub const TTFB_MS: &str = "ttfb_ms";
    /// Float, milliseconds: the first text or picture.
    pub const FCP_MS: &str = "fcp_ms";
    /// Float, milliseconds: the largest text or picture, up to the last look at the document.
    pub const LCP_MS: &str = "lcp_ms";
    /// Float, a ratio: how much of the window moved unasked.
    pub const CLS: &str = "cls";
    /// Float, milliseconds: from an input to the next frame, the worst.
    pub const INP_MS: &str = "inp_ms";
    /// Float, milliseconds: the document is read.
    pub const DOM_CONTENT_LOADED_MS: &str = "dom_content_loaded_ms";
    /// Float, milliseconds: everything that the document names is there.
    pub const LOAD_MS: &str = "load_ms";
    /// Float, milliseconds: looking up the host's address.
    pub const DNS_MS: &str = "dns_ms";
    /// Float, milliseconds: connecting, without TLS.
    pub const CONNECT_MS: &str = "connect_ms";
    /// Float, milliseconds: the TLS handshake.
    pub const TLS_MS: &str = "tls_ms";
    /// Integer: requests of the document, redirects not counted again.
    pub const REQUESTS: &str = "requests";
    /// Integer: requests without an answer, or with a status of 400 or more.
    pub const FAILED_REQUESTS: &str = "failed_requests";
    /// Integer, bytes: over the network, headers included.
    pub const TRANSFERRED_BYTES: &str = "transferred_bytes";
    /// Integer: errors in the console, uncaught ones among them.
    pub const CONSOLE_ERRORS: &str = "console_errors";
    /// Of an incident: `open` or `closed`.
    pub const STATE: &str = "state";
    /// Integer, nanoseconds since 1970: when an incident ended.
    pub const END_NS: &str = "end_ns";
    /// Float, seconds: how long an incident lasted; while it is open, up to when the point was written.
    pub const DURATION_S: &str = "duration_s";
    /// Of an incident: who takes care of it.
    pub const ACKNOWLEDGED_BY: &str = "acknowledged_by";
    /// Integer, nanoseconds since 1970: when somebody first took care of an incident.
    pub const ACKNOWLEDGED_NS: &str = "acknowledged_ns";
    /// Integer, of an incident: how many messages that tell of it were accepted.
    pub const DELIVERIES: &str = "deliveries";
    /// An incident's identity.
    pub const INCIDENT_ID: &str = "incident_id";
    /// The name of the rule that opened an incident.
    pub const RULE: &str = "rule";
    /// 1i when the channel took the message, 0i otherwise.
    pub const ACCEPTED: &str = "accepted";
    /// 1i when the channel refused the message for good, 0i otherwise.
    pub const REFUSED: &str = "refused";
    /// Float, milliseconds: from the start of the run that a message is about to the channel's word that it has it.
    pub const LATENCY_MS: &str = "latency_ms";
    /// Of a message: `opened`, `updated`, `closed`, `whole`, `reminder`, `escalated`, `digest` or `notice`.
    pub const KIND: &str = "kind";
}

/// The longest text of the field `error`.
pub const ERROR_MAX_CHARACTERS: usize = 500;

/// The longest text of the field `image`. `InfluxDB` takes strings up to 1 MiB; this keeps a month of pictures small.
pub const IMAGE_MAX_BYTES: usize = 60_000;

/// How much a system matters to the organisation. The order is by urgency: `Critical` is the least value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Somebody is told at once.
    Critical,
    /// Its owners are told.
    High,
    /// It waits for the digest.
    Low,
}

impl Impact {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::High, Self::Low];

    /// The tag's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Low => "low",
        }
    }

    /// One step less urgent.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::Critical => Self::High,
            Self::High | Self::Low => Self::Low,
        }
    }

    /// The impact with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|impact| impact.name() == name)
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Every step was completed inside its budget.
    Ok,
    /// Every step was completed, at least one of them over its budget.
    Slow,
    /// The system did not let the robot complete the journey.
    Failed,
    /// The probe could not tell: its own fault, never the system's.
    Unmeasured,
    /// The run could not start in its slot.
    Missed,
}

impl Outcome {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Slow,
        Self::Failed,
        Self::Unmeasured,
        Self::Missed,
    ];

    /// The value of the field `result`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Slow => "slow",
            Self::Failed => "failed",
            Self::Unmeasured => "unmeasured",
            Self::Missed => "missed",
        }
    }

    /// The value of the field `result_code`.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Ok => 0,
            Self::Slow => 1,
            Self::Failed => 2,
            Self::Unmeasured => 3,
            Self::Missed => 4,
        }
    }

    /// The outcome with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Whether users could work.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::Slow)
    }

    /// Whether the run says anything about the system.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Ok | Self::Slow | Self::Failed)
    }
}

/// Why a run failed or could not be measured. A closed list: dashboards and rules count by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The name of the host has no address.
    Dns,
    /// No connection, or one that broke.
    Connect,
    /// The certificate or the TLS handshake.
    Tls,
    /// A document answered with a status of 400 or more.
    HttpStatus,
    /// Something took longer than the run may take.
    Timeout,
    /// An element that the journey needs is not on the page.
    ElementMissing,
    /// The element is there and cannot be used: hidden, disabled, covered, moving.
    NotActionable,
    /// What the page shows is not what the journey expects.
    Assertion,
    /// The page's JavaScript.
    Script,
    /// A dialog that nobody expected.
    Dialog,
    /// A download that failed.
    Download,
    /// The page's process is gone: by itself, which is the page's fault, or killed, where nobody can tell whose it is.
    Crash,
    /// The probe's own browser or program: not there, hung, died.
    Browser,
    /// The probe's own configuration, a secret that is not there.
    Config,
}

impl ErrorClass {
    /// The value of the field `error_class`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::HttpStatus => "http_status",
            Self::Timeout => "timeout",
            Self::ElementMissing => "element_missing",
            Self::NotActionable => "not_actionable",
            Self::Assertion => "assertion",
            Self::Script => "script",
            Self::Dialog => "dialog",
            Self::Download => "download",
            Self::Crash => "crash",
            Self::Browser => "browser",
            Self::Config => "config",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_and_an_impact_are_found_by_their_names() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_name(outcome.name()), Some(outcome));
            assert_eq!(
                Outcome::ALL[usize::try_from(outcome.code()).unwrap()],
                outcome
            );
        }
        for impact in Impact::ALL {
            assert_eq!(Impact::from_name(impact.name()), Some(impact));
        }
    }

    #[test]
    fn a_run_that_says_nothing_about_the_system_is_neither_up_nor_valid() {
        for outcome in [Outcome::Unmeasured, Outcome::Missed] {
            assert!(!outcome.is_ok() && !outcome.is_valid());
        }
    }
}
