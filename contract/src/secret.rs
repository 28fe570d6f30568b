//! Where a secret may come from, and how a configuration refers to one without holding it.
//!
//! `${secret:NAME}` names it. It is looked up in the environment variable `NAME`, then in the systemd credentials
//! `NAME` and `telegraf.NAME` (the unit of Telegraf imports those), then in the file `NAME` of the configured folder, and
//! then a configured program is asked for it.

use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use secrecy::{ExposeSecret, SecretString};

use crate::{
    secret_command::SecretCommand,
    stored::{self, is_name},
    variables::Variables,
};

const OPEN: &str = "${secret:";

/// A text that may hold references to secrets and to what a run stores, as the operator wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Secret(String),
    Stored(String),
}

impl Template {
    /// Finds the references; one that is not closed, or with a name that no environment variable can have, is refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("${totp:") {
            return Err(
                "a one-time code can only be typed\nhint: write it where a text is put into a field"
                    .into(),
            );
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = [OPEN, stored::OPEN]
            .into_iter()
            .filter_map(|open| rest.find(open))
            .min()
        {
            let is_secret = rest[start..].starts_with(OPEN);
            let open = if is_secret { OPEN } else { stored::OPEN };
            let after = &rest[start + open.len()..];
            let name = after.split('}').next().unwrap_or_default();
            if !is_name(name) || name.len() == after.len() {
                let what = if is_secret {
                    "a secret"
                } else {
                    "what is stored"
                };
                return Err(format!(
                    "the reference to {what} at `{}` is not complete\nhint: write {open}NAME}}, the name of letters, digits and underscores",
                    rest[start..].chars().take(30).collect::<String>()
                ));
            }
            if start > 0 {
                parts.push(Part::Text(rest[..start].to_owned()));
            }
            parts.push(if is_secret {
                Part::Secret(name.to_owned())
            } else {
                Part::Stored(name.to_owned())
            });
            rest = &after[name.len() + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The names of the secrets that it needs.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(name.as_str()),
            Part::Text(_) | Part::Stored(_) => None,
        })
    }

    /// The text with every secret, and all that a run has stored, in its place.
    pub fn resolve(
        &self,
        places: &SecretPlaces,
        stored: &Variables,
    ) -> Result<SecretString, SecretError> {
        let mut whole = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Secret(name) => whole.push_str(places.find(name)?.expose_secret()),
                Part::Stored(name) => whole.push_str(
                    stored
                        .get(name)
                        .ok_or_else(|| SecretError::NotStored(name.clone()))?,
                ),
            }
        }
        Ok(whole.into())
    }

    /// The text as the operator wrote it, with the references instead of the secrets: fit to be shown.
    #[must_use]
    pub fn shown(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Secret(name) => format!("{OPEN}{name}}}"),
                Part::Stored(name) => format!("{}{name}}}", stored::OPEN),
            })
            .collect()
    }
}

impl<'de> serde::Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Where secrets are looked up, besides the environment.
#[derive(Clone, Debug, Default)]
pub struct SecretPlaces {
    /// systemd's `$CREDENTIALS_DIRECTORY`, where there is one.
    pub credentials: Option<PathBuf>,
    /// The configured folder with a file for each secret.
    pub folder: Option<PathBuf>,
    /// The configured program that is asked where no other place has it.
    pub command: Option<SecretCommand>,
    /// What was looked up already: see [`Self::fetched`].
    fetched: BTreeMap<String, Result<SecretString, SecretError>>,
}

/// Why a secret could not be had. No variant holds any part of its value.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SecretError {
    /// It is in none of the places.
    #[error(
        "the secret `{0}` is neither in the environment nor among the credentials nor in the secrets folder"
    )]
    Missing(String),
    /// A run has stored nothing under this name yet.
    #[error("nothing was stored as `{0}`")]
    NotStored(String),
    /// Others may read the file.
    #[error("the secret file `{0}` may be read by every user of this machine (`chmod o-rwx` it)")]
    Exposed(PathBuf),
    /// Others may change the file.
    #[error("the secret file `{0}` may be changed by others than its owner (`chmod g-w` it)")]
    Changeable(PathBuf),
    /// The file is there and cannot be read.
    #[error("failed to read the secret file `{0}`: {1}")]
    Unreadable(PathBuf, Arc<std::io::Error>),
    /// The program did not say it.
    #[error("the `secret_command`, asked for the secret `{0}`, {1}")]
    Command(String, String),
}

impl SecretPlaces {
    /// The places of this process: systemd's credentials and this folder.
    #[must_use]
    pub fn of_this_process(folder: Option<PathBuf>) -> Self {
        Self {
            credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            folder,
            ..Self::default()
        }
    }

    /// The same with these secrets looked up, so that nobody who asks for them later waits for a file or a program. Blocks.
    #[must_use]
    pub fn fetched<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let fetched = names.into_iter();
        let fetched = fetched.map(|name| (name.to_owned(), self.find(name)));
        Self {
            fetched: fetched.collect(),
            ..self.clone()
        }
    }

    /// Looks a secret up. A line feed at the end of a file is not part of it.
    pub fn find(&self, name: &str) -> Result<SecretString, SecretError> {
        if let Some(fetched) = self.fetched.get(name) {
            return fetched.clone();
        }
        if let Ok(value) = std::env::var(name) {
            return Ok(value.into());
        }
        let credentials = self
            .credentials
            .iter()
            .flat_map(|folder| [folder.join(name), folder.join(format!("telegraf.{name}"))]);
        for path in credentials.chain(self.folder.iter().map(|folder| folder.join(name))) {
            match path.metadata() {
                Ok(_) => return read(&path),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(SecretError::Unreadable(path, Arc::new(error))),
            }
        }
        match &self.command {
            Some(command) => command
                .ask(name)
                .map_err(|why| SecretError::Command(name.to_owned(), why)),
            None => Err(SecretError::Missing(name.to_owned())),
        }
    }
}

fn read(path: &Path) -> Result<SecretString, SecretError> {
    let unreadable = |error| SecretError::Unreadable(path.to_owned(), Arc::new(error));
    let mode = path.metadata().map_err(unreadable)?.mode();
    if mode & 0o007 != 0 {
        return Err(SecretError::Exposed(path.to_owned()));
    }
    if mode & 0o020 != 0 {
        return Err(SecretError::Changeable(path.to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).into())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_reference_is_found_in_a_text_and_filled_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("PORTAL_CLAVE");
        fs::write(&file, "abc 123\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let places = SecretPlaces {
            folder: Some(folder.path().into()),
            ..SecretPlaces::default()
        };

        let template = Template::parse("Bearer ${secret:PORTAL_CLAVE}!${stored:a}").unwrap();
        let stored = Variables::from([("a".into(), "${secret:PORTAL_CLAVE}".into())]);

        assert_eq!(template.secrets().collect::<Vec<_>>(), ["PORTAL_CLAVE"]);
        assert_eq!(
            template.resolve(&places, &stored).unwrap().expose_secret(),
            "Bearer abc 123!${secret:PORTAL_CLAVE}"
        );
        assert_eq!(
            template.shown(),
            "Bearer ${secret:PORTAL_CLAVE}!${stored:a}"
        );
    }

    #[test]
    fn a_secret_that_everybody_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("OPEN_SECRET");
        fs::write(&file, "abc").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let places = SecretPlaces {
            folder: Some(folder.path().into()),
            ..SecretPlaces::default()
        };

        assert!(
            matches!(places.find("OPEN_SECRET"), Err(SecretError::Exposed(path)) if path == file)
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o660)).unwrap();
        assert!(
            matches!(places.find("OPEN_SECRET"), Err(SecretError::Changeable(path)) if path == file)
        );
    }

    #[test]
    fn the_places_are_asked_in_their_order_and_what_was_fetched_is_asked_for_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        };
        write("credentials/telegraf.UNA", "credencial");
        write("secrets/UNA", "archivo");
        write("secrets/OTRA", "archivo");
        let echo = ["printf", "%s", "{name}"];
        let places = SecretPlaces {
            credentials: Some(folder.path().join("credentials")),
            folder: Some(folder.path().join("secrets")),
            command: SecretCommand::new(echo.map(str::to_owned).to_vec()).ok(),
            ..SecretPlaces::default()
        };
        let fetched = places.fetched(["UNA", "OTRA", "TERCERA"]);
        drop(folder);
        let found = ["UNA", "OTRA", "TERCERA"]
            .map(|name| fetched.find(name).unwrap().expose_secret().to_owned());
        assert_eq!(found, ["credencial", "archivo", "TERCERA"]);
    }

    #[test]
    fn a_reference_that_is_not_complete_is_refused() {
        for wrong in [
            "${secret:",
            "${secret:}",
            "${secret:A-B}",
            "x ${secret:ABC",
            "${totp:ABC}",
        ] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }
}
