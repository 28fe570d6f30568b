//! Who is told, made ready to be asked: routes with their hours, digests and rotations, and planned windows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use croner::parser::CronParser;
use jiff::{SignedDuration, Timestamp, civil::DateTime, civil::Time, tz::TimeZone};
use vigia_contract::{config_file::Spanned, data_model::Impact};

use super::{Findings, channels::Settings as ChannelSettings, check};
use crate::route::{
    dependency::Dependencies,
    holidays::Holidays,
    hours::{self, Hours},
    maintenance::{self, Maintenance, Window},
    matcher::Matcher,
    on_call::{self, Instead, OnCall},
    tree::{self, Escalation, Route, Target, When},
};

/// What routes may name.
pub(super) struct Names<'a> {
    pub channels: BTreeSet<&'a str>,
    pub on_call: BTreeMap<String, OnCall>,
    pub hours: BTreeMap<String, Hours>,
    /// The clock of the file.
    pub time_zone: TimeZone,
}

impl Names<'_> {
    fn target(&self, name: &Spanned<String>, findings: &mut Findings) -> Option<Target> {
        if let Some(on_call) = self.on_call.get(name.as_ref()) {
            return Some(Target::OnCall(on_call.clone()));
        }
        let known = self.channels.iter().copied();
        let known = known.chain(self.on_call.keys().map(String::as_str));
        named(name, "channel", known, findings).then(|| Target::Channel(name.as_ref().clone()))
    }

    fn targets(&self, names: &[Spanned<String>], findings: &mut Findings) -> Vec<Target> {
        let names = names.iter();
        names
            .filter_map(|name| self.target(name, findings))
            .collect()
    }

    fn clock(&self, name: Option<&Spanned<String>>, findings: &mut Findings) -> TimeZone {
        name.and_then(|name| check::time_zone(name, findings))
            .unwrap_or_else(|| self.time_zone.clone())
    }
}

/// Whether there is something of this name; says what there is, where not.
fn named<'a>(
    name: &Spanned<String>,
    kind: &str,
    known: impl Iterator<Item = &'a str>,
    findings: &mut Findings,
) -> bool {
    let known: BTreeSet<&str> = known.collect();
    if known.contains(name.as_ref().as_str()) {
        return true;
    }
    let there: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    let hint = match (there.is_empty(), kind) {
        (true, kind) => format!("add {} of this name", table(kind)),
        (false, "channel") => format!("there are the channels {}", there.join(", ")),
        (false, kind) => format!("there are the {kind} {}", there.join(", ")),
    };
    findings.add(
        name,
        format!("there is no {kind} `{}`", name.as_ref()),
        hint,
    );
    false
}

fn table(kind: &str) -> &'static str {
    match kind {
        "channel" => "a [[channel]]",
        _ => "[[hours]]",
    }
}

/// The names of the channels that these routes and rotations use.
pub(super) fn used<'a>(
    routes: &'a [Spanned<tree::Settings>],
    on_call: &'a [on_call::Settings],
) -> BTreeSet<&'a str> {
    let mut used = BTreeSet::new();
    let mut open: Vec<&tree::Settings> = routes.iter().map(AsRef::as_ref).collect();
    while let Some(route) = open.pop() {
        let next = route.escalate.iter().flat_map(|next| &next.channels);
        let names = route.channels.iter().chain(next);
        used.extend(names.map(|name| name.as_ref().as_str()));
        open.extend(route.route.iter().map(AsRef::as_ref));
    }
    for rotation in on_call
        .iter()
        .filter(|rotation| {
            // One that nobody asks uses nothing.
            used.contains(rotation.name.as_ref().as_str())
        })
        .collect::<Vec<_>>()
    {
        let instead = rotation.instead.iter().map(|instead| &instead.channel);
        let names = rotation.channels.iter().chain(instead);
        used.extend(names.map(|name| name.as_ref().as_str()));
    }
    used
}

fn plain(names: Option<&[Spanned<String>]>) -> Option<Vec<String>> {
    let names = names?.iter();
    Some(names.map(|name| name.as_ref().clone()).collect())
}

/// What is not a channel, made ready for the routes.
pub(super) fn names<'a>(
    channels: &'a [ChannelSettings],
    on_call: &[on_call::Settings],
    hours: &[hours::Settings],
    time_zone: TimeZone,
    findings: &mut Findings,
) -> Names<'a> {
    let mut names = Names {
        channels: channels
            .iter()
            .map(|channel| channel.name.as_ref().as_str())
            .collect(),
        on_call: BTreeMap::new(),
        hours: BTreeMap::new(),
        time_zone,
    };
    check::once(hours.iter().map(|hours| &hours.name), "hours", findings);
    for settings in hours {
        if let Some(hours) = working(settings, &names, findings) {
            names.hours.insert(hours.name.clone(), hours);
        }
    }
    let both = channels.iter().map(|channel| &channel.name);
    let both = both.chain(on_call.iter().map(|on_call| &on_call.name));
    check::once(both, "channel or on-call rotation", findings);
    for settings in on_call {
        if let Some(rotation) = rotation(settings, &names, findings) {
            names.on_call.insert(rotation.name.clone(), rotation);
        }
    }
    names
}

fn working(settings: &hours::Settings, names: &Names, findings: &mut Findings) -> Option<Hours> {
    let from = time_of_day(&settings.from, findings);
    let to = time_of_day(&settings.to, findings);
    let days = settings.days.clone().unwrap_or_else(|| {
        use hours::Day::{Fri, Mon, Thu, Tue, Wed};
        vec![Mon, Tue, Wed, Thu, Fri]
    });
    if days.is_empty() {
        findings.add(
            &settings.name,
            "these hours are on no day",
            "name days, for example days = [\"mon\", \"sat\"]",
        );
    }
    Some(Hours {
        name: settings.name.as_ref().clone(),
        days: days.into_iter().map(Into::into).collect(),
        time_zone: names.clock(settings.time_zone.as_ref(), findings),
        holidays: match &settings.holidays {
            Some(file) => holidays(file, findings),
            None => Holidays::default(),
        },
        from: from?,
        to: to?,
    })
}

fn holidays(file: &Spanned<std::path::PathBuf>, findings: &mut Findings) -> Holidays {
    let path = findings.folder.join(file.as_ref());
    let hint = "name a calendar as other programs export it (iCalendar, .ics)";
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("the calendar `{}` cannot be read: {error}", path.display());
            findings.add(file, what, hint);
            return Holidays::default();
        }
    };
    Holidays::read(&text).unwrap_or_else(|errors| {
        for error in errors {
            let what = format!("the calendar `{}` cannot be used: {error}", path.display());
            findings.add(file, what, hint);
        }
        Holidays::default()
    })
}

fn rotation(
    settings: &on_call::Settings,
    names: &Names,
    findings: &mut Findings,
) -> Option<OnCall> {
    let known = || names.channels.iter().copied();
    let mut channels = Vec::new();
    for name in &settings.channels {
        if named(name, "channel", known(), findings) {
            channels.push(name.as_ref().clone());
        }
    }
    if settings.channels.is_empty() {
        findings.add(
            &settings.name,
            "nobody is on call here",
            "add channels = [\"...\"], in the order of their turns",
        );
    }
    let days = settings.days.as_ref().map_or(7, |days| *days.as_ref());
    if let Some(written) = settings
        .days
        .as_ref()
        .filter(|_| !(1..=366).contains(&days))
    {
        findings.add(
            written,
            format!("a turn cannot last {days} days"),
            "write a number from 1 to 366",
        );
    }
    let mut instead = Vec::new();
    for settings in &settings.instead {
        let from = date_and_time(&settings.from, findings);
        let to = date_and_time(&settings.to, findings);
        named(&settings.channel, "channel", known(), findings);
        if let (Some(from), Some(to)) = (from, to) {
            before(from, to, &settings.to, findings);
            instead.push(Instead {
                from,
                to,
                channel: settings.channel.as_ref().clone(),
            });
        }
    }
    let since = date_and_time(&settings.since, findings)?;
    (!channels.is_empty() && (1..=366).contains(&days)).then(|| OnCall {
        name: settings.name.as_ref().clone(),
        channels,
        since,
        days,
        time_zone: names.clock(settings.time_zone.as_ref(), findings),
        instead,
    })
}

/// Routes, with those inside.
pub(super) fn routes(
    settings: &[Spanned<tree::Settings>],
    names: &Names,
    findings: &mut Findings,
) -> Vec<Route> {
    let settings = settings.iter();
    settings
        .map(|route| resolve(route, names, findings))
        .collect()
}

fn resolve(written: &Spanned<tree::Settings>, names: &Names, findings: &mut Findings) -> Route {
    let settings = written.as_ref();
    if settings.channels.is_empty() && settings.route.is_empty() {
        findings.add(
            written,
            "this route tells nobody",
            "add channels = [\"...\"], or routes inside it",
        );
    }
    let mut escalate = Vec::new();
    for next in &settings.escalate {
        escalate.push(Escalation {
            after: signed(next.after),
            channels: names.targets(&next.channels, findings),
        });
    }
    escalate.sort_by_key(|next| next.after);
    Route {
        matcher: Matcher {
            impact: settings.impact.clone(),
            system: settings.system.clone(),
            journey: settings.journey.clone(),
            probe: settings.probe.clone(),
            rule: plain(settings.rule.as_deref()),
        },
        channels: names.targets(&settings.channels, findings),
        when: when(settings, names, findings),
        repeat: settings.repeat.map(signed),
        escalate,
        is_last: !settings.goes_on,
        inside: routes(&settings.route, names, findings),
    }
}

fn when(settings: &tree::Settings, names: &Names, findings: &mut Findings) -> When {
    let known = || names.hours.keys().map(String::as_str);
    let of = |name: &Spanned<String>, findings: &mut Findings| {
        named(name, "hours", known(), findings);
        names.hours.get(name.as_ref()).cloned()
    };
    match (&settings.digest, &settings.hours, &settings.outside_hours) {
        (None, None, None) => When::Now,
        (None, Some(hours), None) => of(hours, findings).map_or(When::Now, When::In),
        (None, None, Some(hours)) => of(hours, findings).map_or(When::Now, When::Outside),
        (Some(digest), None, None) => {
            let is_for_critical = settings
                .impact
                .as_ref()
                .is_none_or(|impacts| impacts.contains(&Impact::Critical));
            if is_for_critical {
                findings.add(
                    digest,
                    "what is critical would wait for the digest",
                    "add impact = [\"low\"] to this route",
                );
            }
            if let Some(again) = settings.repeat {
                let what = format!("a digest is not told again every {}", shown(again));
                findings.add(digest, what, "take repeat out");
            }
            time_of_day(digest, findings).map_or(When::Now, |time| {
                When::Digest(time, names.time_zone.clone())
            })
        }
        (digest, hours, outside) => {
            let all = [digest, hours, outside].into_iter().flatten();
            if let Some(last) = all.last() {
                findings.add(
                    last,
                    "a route has only one of digest, hours and outside_hours",
                    "write a route for each",
                );
            }
            When::Now
        }
    }
}

/// Planned windows.
pub(super) fn maintenance(
    settings: Vec<maintenance::Settings>,
    names: &Names,
    findings: &mut Findings,
) -> Vec<Maintenance> {
    check::once(
        settings.iter().map(|window| &window.name),
        "maintenance window",
        findings,
    );
    let settings = settings.into_iter();
    settings
        .filter_map(|settings| planned(settings, names, findings))
        .collect()
}

fn planned(
    settings: maintenance::Settings,
    names: &Names,
    findings: &mut Findings,
) -> Option<Maintenance> {
    let window = window(&settings, names, findings);
    let matcher = Matcher {
        impact: settings.impact,
        system: settings.system,
        journey: settings.journey,
        probe: settings.probe,
        rule: plain(settings.rule.as_deref()),
    };
    if matcher.takes_everything() && !settings.everything {
        findings.add(
            &settings.name,
            "this window would mute everything",
            "name what is maintained, for example system = [\"tramites\"], or add everything = true",
        );
    }
    Some(Maintenance {
        name: settings.name.into_inner(),
        matcher,
        window: window?,
    })
}

fn window(
    settings: &maintenance::Settings,
    names: &Names,
    findings: &mut Findings,
) -> Option<Window> {
    let time_zone = names.clock(settings.time_zone.as_ref(), findings);
    match (
        &settings.every,
        settings.lasts,
        &settings.from,
        &settings.to,
    ) {
        (Some(every), Some(lasts), None, None) => {
            // The usual five fields: a window that begins every second is a mistake.
            match CronParser::new().parse(every.as_ref()) {
                Ok(cron) if every.as_ref().split_whitespace().count() == 5 => Some(Window::Again {
                    cron: Box::new(cron),
                    lasts: signed(lasts),
                    time_zone,
                }),
                _ => {
                    findings.add(
                        every,
                        format!("`{}` is no time as cron has it", every.as_ref()),
                        "write minute, hour, day, month and day of the week, for example \"0 2 * * SUN\"",
                    );
                    None
                }
            }
        }
        (None, None, Some(from), Some(to)) => {
            let begins = date_and_time(from, findings);
            let ends = date_and_time(to, findings);
            let (begins, ends) = (begins?, ends?);
            before(begins, ends, to, findings);
            let moment = |at: DateTime| -> Option<Timestamp> {
                let zoned = at.to_zoned(time_zone.clone()).ok()?;
                Some(zoned.timestamp())
            };
            Some(Window::Once(moment(begins)?, moment(ends)?))
        }
        _ => {
            findings.add(
                &settings.name,
                "it is not said when this window is",
                "write every = \"0 2 * * SUN\" with lasts = \"2h\", or from = \"2026-12-05T22:00\" with to",
            );
            None
        }
    }
}

/// What follows from what.
pub(super) fn dependencies(
    needs: &Spanned<BTreeMap<String, Vec<String>>>,
    findings: &mut Findings,
) -> Dependencies {
    let dependencies = Dependencies::new(needs.as_ref().clone());
    if let Some(system) = dependencies.circle() {
        findings.add(
            needs,
            format!("`{system}` depends on itself"),
            "take out what closes the circle: a cause is not told inside what follows from it",
        );
    }
    dependencies
}

fn time_of_day(text: &Spanned<String>, findings: &mut Findings) -> Option<Time> {
    let read = text
        .as_ref()
        .parse()
        .ok()
        .filter(|_| text.as_ref().len() <= 8);
    if read.is_none() {
        findings.add(
            text,
            format!("`{}` is no time of day", text.as_ref()),
            "write hours and minutes, for example \"08:30\"",
        );
    }
    read
}

fn date_and_time(text: &Spanned<String>, findings: &mut Findings) -> Option<DateTime> {
    let read = text.as_ref().parse().ok();
    if read.is_none() {
        findings.add(
            text,
            format!("`{}` is no date and time", text.as_ref()),
            "write for example \"2026-12-05T22:00\"",
        );
    }
    read
}

fn before(from: DateTime, to: DateTime, at: &Spanned<String>, findings: &mut Findings) {
    if to <= from {
        findings.add(
            at,
            "it would end before it begins",
            "write an end after the beginning",
        );
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn shown(duration: Duration) -> String {
    format!("{:#}", signed(duration))
}
