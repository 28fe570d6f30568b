//! What no single value can know: that names are defined once and meet, that secrets are there, that values have a meaning.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use minijinja::{Environment, context};
use vigia_contract::{
    config_file::Spanned,
    secret::{SecretString, Template},
    variables::Variables,
};

use super::{Findings, channels, routing};
use crate::{
    flux,
    flux::rule,
    report::schedule,
    route::{on_call, tree},
    store::place::{self, Database, Place},
};

pub(super) fn time_zone(name: &Spanned<String>, findings: &mut Findings) -> Option<TimeZone> {
    let found = TimeZone::get(name.as_ref()).ok();
    if found.is_none() {
        findings.add(
            name,
            format!("there is no time zone `{}`", name.as_ref()),
            "write a name of the IANA database, for example \"America/Montevideo\" or \"Europe/Madrid\"",
        );
    }
    found
}

pub(super) fn influxdb(settings: &flux::Settings, findings: &mut Findings) -> Option<SecretString> {
    let url = settings.url.as_ref();
    if !reqwest::Url::parse(url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    {
        findings.add(
            &settings.url,
            format!("`{url}` is not an address of InfluxDB"),
            "write it with its scheme, for example \"http://127.0.0.1:8086\"",
        );
    }
    secret(&settings.token, findings)
}

pub(super) fn store(settings: &Spanned<place::Settings>, findings: &mut Findings) -> Option<Place> {
    let place::Settings {
        path,
        postgresql,
        password,
    } = settings.as_ref();
    if let (Some(password), None) = (password, postgresql) {
        findings.add(
            password,
            "a file needs no password",
            "take the password out, or write the address of a database as postgresql",
        );
    }
    match (path, postgresql) {
        (Some(path), None) => Some(Place::Sqlite(findings.folder.join(path))),
        (None, Some(address)) => {
            let address = database(settings, address, findings);
            let password = password.as_ref().map(|password| secret(password, findings));
            match (address?, password) {
                (address, None) => Some(Place::PostgreSql(Database::new(address, None))),
                (address, Some(password)) => {
                    Some(Place::PostgreSql(Database::new(address, Some(password?))))
                }
            }
        }
        (None, None) => {
            findings.add(
                settings,
                "it is not said where the store is",
                "add path = \"vigia-alert.db\"",
            );
            None
        }
        (Some(_), Some(address)) => {
            findings.add(
                address,
                "there is a path too, and a store is in one place only",
                "keep either path or postgresql",
            );
            None
        }
    }
}

fn database(
    settings: &Spanned<place::Settings>,
    address: &Spanned<String>,
    findings: &mut Findings,
) -> Option<url::Url> {
    let text = address.as_ref();
    let read = text.parse::<url::Url>().ok().filter(|url| {
        matches!(url.scheme(), "postgres" | "postgresql") && url.has_host() && url.path().len() > 1
    });
    match read {
        None => findings.add(
            address,
            "this is not the address of a database of PostgreSQL",
            "write it with user, host and database, for example \"postgres://vigia@db.example/vigia\"",
        ),
        // Not at the address itself: its line would be shown.
        Some(url) if url.password().is_some() => findings.add(
            settings,
            "the address of the database holds a password",
            "write it without, and add password = \"${secret:STORE_PASSWORD}\"",
        ),
        Some(url) => return Some(url),
    }
    None
}

/// Looks a secret up now, so that it is not missed at night.
pub(super) fn secret(
    template: &Spanned<Template>,
    findings: &mut Findings,
) -> Option<SecretString> {
    match template
        .as_ref()
        .resolve(&findings.secrets, &Variables::new())
    {
        Ok(secret) => Some(secret),
        Err(error) => {
            findings.add(
                template,
                error.to_string(),
                "set the environment variable of that name, or put the secret into a file of that name in the `secrets_folder`",
            );
            None
        }
    }
}

pub(super) fn dashboard(address: Option<&Spanned<String>>, findings: &mut Findings) {
    let Some(address) = address else { return };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let names = context! { system => "s", journey => "j", probe => "p" };
    if let Err(error) = environment.render_str(address.as_ref(), names) {
        findings.add(
            address,
            format!("the address cannot be filled in: {error}"),
            "use {{ system }}, {{ journey }} and {{ probe }}, and nothing else in double braces",
        );
    }
}

pub(super) fn rules(rules: &[rule::Settings], findings: &mut Findings) {
    once(rules.iter().map(|rule| &rule.name), "rule", findings);
}

pub(super) fn routes(
    routes: &[Spanned<tree::Settings>],
    on_call: &[on_call::Settings],
    reports: &[schedule::Settings],
    channels: &[channels::Settings],
    findings: &mut Findings,
) {
    let mut used = routing::used(routes, on_call);
    let mailed = reports.iter().flat_map(|report| &report.channels);
    used.extend(mailed.map(|name| name.as_ref().as_str()));
    for channel in channels {
        let name = channel.name.as_ref();
        if !used.contains(name.as_str()) {
            let hint =
                format!("add a [[route]] with channels = [\"{name}\"], or take the channel out");
            findings.add(
                &channel.name,
                format!("no route uses the channel `{name}`"),
                hint,
            );
        }
    }
    if channels.is_empty() {
        findings.mistakes.push(findings.source.mistake(
            0..0,
            "there is no channel, so nobody would be told",
            "add a [[channel]] and a [[route]] that uses it",
        ));
    }
}

pub(super) fn once<'a>(
    names: impl Iterator<Item = &'a Spanned<String>>,
    kind: &str,
    findings: &mut Findings,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.as_ref()) {
            findings.add(
                name,
                format!("there is another {kind} with the name `{}`", name.as_ref()),
                format!("give each {kind} a name of its own"),
            );
        }
    }
}
