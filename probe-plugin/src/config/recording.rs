//! `[[recording]]`: a recording that is played as a journey, with what a recording does not say.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use vigia_contract::{
    config_file::Spanned,
    data_model::Impact,
    duration,
    mistake::{Mistake, Source},
    slug::slug,
    variables::Variables,
};

use crate::{
    journey::{BasicAuth, CleanupTable, ClientCertificate, Every, Headers, Journey, Kind},
    recording::{self, Head},
};

/// One of the probe's recordings, as it is typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingTable {
    /// Relative to the configuration.
    file: Spanned<PathBuf>,
    system: Spanned<String>,
    /// That of the recording's title where it is left out.
    name: Option<Spanned<String>>,
    impact: Impact,
    every: Every,
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    timeout: Option<Duration>,
    #[serde(default)]
    variables: Variables,
    #[serde(default)]
    basic_auth: Vec<BasicAuth>,
    #[serde(default)]
    client_certificate: Vec<ClientCertificate>,
    #[serde(default)]
    headers: Vec<Headers>,
    #[serde(default)]
    cleanup: Vec<CleanupTable>,
}

impl RecordingTable {
    /// Where it is.
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(self.file.get_ref())
    }

    /// Reads it; `instead` wins over its own variables.
    pub fn read(
        self,
        folder: &Path,
        source: &Source,
        instead: &Variables,
    ) -> Result<Journey, Vec<Mistake>> {
        let path = self.path(folder);
        let names = [Some(&self.system), self.name.as_ref()];
        let wrong = names
            .into_iter()
            .flatten()
            .filter(|name| slug(name.get_ref()) != *name.get_ref() || name.get_ref().is_empty());
        let mut mistakes: Vec<Mistake> = wrong
            .map(|name| {
                let right = slug(name.get_ref());
                source.mistake(
                    name.span(),
                    format!(
                        "`{}` cannot be a name in points and addresses",
                        name.get_ref()
                    ),
                    format!("write lower-case letters, digits and hyphens: `{right}`"),
                )
            })
            .collect();
        if !path.is_file() {
            mistakes.push(source.mistake(
                self.file.span(),
                format!("there is no file `{}`", path.display()),
                "name the JSON file that Chrome's Recorder exported, relative to this file",
            ));
            return Err(mistakes);
        }
        let mut variables = self.variables;
        let own: Vec<String> = variables.keys().cloned().collect();
        variables.extend(instead.clone());
        let head = Head {
            system: self.system.into_inner(),
            name: self.name.map(Spanned::into_inner),
            impact: self.impact,
            every: self.every.0,
            timeout: self.timeout,
        };
        let cleanup = self.cleanup.into_iter();
        // A recording stores nothing that it could need.
        let cleanup = cleanup
            .map(|step| step.ready(BTreeSet::new(), source, &mut mistakes))
            .collect();
        match recording::read(&path, &head, &variables) {
            Ok(mut journey) => {
                // A recording is played in the browser.
                if let Kind::Browser(walk) = &mut journey.kind {
                    walk.basic_auth = self.basic_auth;
                    walk.client_certificates = self.client_certificate;
                    walk.headers = self.headers;
                    walk.cleanup = cleanup;
                }
                for name in own {
                    if !journey.variables.contains(&name) {
                        mistakes.push(source.mistake(
                            self.file.span(),
                            format!("the recording has no variable `{name}`"),
                            format!("write ${{{name}}} into one of its addresses or values, or take the variable out"),
                        ));
                    }
                }
                if mistakes.is_empty() {
                    Ok(journey)
                } else {
                    Err(mistakes)
                }
            }
            Err(others) => {
                mistakes.extend(others);
                Err(mistakes)
            }
        }
    }
}
