//! The reports that are mailed, made ready: their channels are there and bring mail, their day and time exist.

use std::collections::BTreeMap;

use jiff::civil::Time;

use super::{Findings, channels::Paced};
use crate::{
    deliver::Channel,
    report::schedule::{Schedule, Settings},
};

pub(super) fn resolve_all(
    reports: Vec<Settings>,
    channels: &BTreeMap<String, Paced>,
    findings: &mut Findings,
) -> Vec<Schedule> {
    super::check::once(
        reports.iter().map(|report| &report.name),
        "report",
        findings,
    );
    reports
        .into_iter()
        .filter_map(|report| resolve(report, channels, findings))
        .collect()
}

fn resolve(
    report: Settings,
    channels: &BTreeMap<String, Paced>,
    findings: &mut Findings,
) -> Option<Schedule> {
    if report.channels.is_empty() {
        findings.add(
            &report.name,
            "this report is mailed to nobody",
            "add channels = [\"...\"] with the name of a mail channel",
        );
    }
    for name in &report.channels {
        let channel = channels.get(name.as_ref()).map(|paced| &paced.channel);
        if !matches!(channel, Some(Channel::Email(_))) {
            findings.add(
                name,
                format!("there is no mail channel `{}`", name.as_ref()),
                "name a [[channel]] that has email = { ... }",
            );
        }
    }
    let day = match &report.day {
        None => Some(1),
        Some(day) if (1..=28).contains(day.as_ref()) => Some(*day.as_ref()),
        Some(day) => {
            findings.add(
                day,
                format!("not every month has a day `{}`", day.as_ref()),
                "write a day from 1 to 28",
            );
            None
        }
    };
    let at = match &report.at {
        None => Some(Time::constant(7, 0, 0, 0)),
        Some(at) => {
            let read = Time::strptime("%H:%M", at.as_ref()).ok();
            if read.is_none() {
                findings.add(
                    at,
                    format!("`{}` is not a time of day", at.as_ref()),
                    "write for example \"07:00\"",
                );
            }
            read
        }
    };
    Some(Schedule {
        name: report.name.into_inner(),
        channels: report
            .channels
            .into_iter()
            .map(toml::Spanned::into_inner)
            .collect(),
        day: day?,
        at: at?,
        systems: report.system,
    })
}
