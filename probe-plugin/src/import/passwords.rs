//! What a project types as a password: it becomes a reference to a secret, and stands nowhere in what is written.

use std::collections::BTreeMap;

use vigia_contract::slug::slug;

use super::{
    naming::words,
    side::{Command, Project},
};

/// Shorter texts stand in too many places by chance; where one is all of a text, it counts.
const FOUND_INSIDE_MIN: usize = 4;

/// The passwords of a project and what they are called from now on.
#[derive(Clone, Debug, Default)]
pub struct Passwords {
    /// `TRAMITES`.
    system: String,
    /// In the order in which the project types them; the names of secrets are environment variables.
    names: Vec<(String, String)>,
    /// Variables that hold one, and the name where nothing says which.
    variables: BTreeMap<String, String>,
}

impl Passwords {
    /// Looks for them in every command of every test.
    pub fn of(project: &Project, system: &str) -> Self {
        let mut passwords = Self::of_system(system);
        let commands = || project.tests.iter().flat_map(|test| &test.commands);
        for command in commands() {
            if let Some(field) = typed_into(command) {
                passwords.type_into(&field, &command.value);
            }
        }
        for command in commands().filter(|command| command.name == "store") {
            let variable = command.value.trim();
            if is_password(&words(variable)) && !passwords.variables.contains_key(variable) {
                let name = passwords.full_name(variable);
                passwords.variables.insert(variable.to_owned(), name);
            }
            if let Some(name) = passwords.variables.get(variable).cloned() {
                passwords.add_literal(&name, command.target.trim());
            }
        }
        let opened = commands().filter(|command| command.name == "open");
        let addresses = opened.map(|command| &command.target);
        for address in addresses.chain([&project.url]) {
            if let Some((_, _, password)) = credentials(address) {
                let name = passwords.full_name("password");
                passwords.add_literal(&name, &password);
            }
        }
        passwords
    }

    /// Of a system whose passwords are not known yet.
    pub fn of_system(system: &str) -> Self {
        Self {
            system: upper(system),
            ..Self::default()
        }
    }

    /// A text that is typed into a field of this name.
    pub fn type_into(&mut self, field: &str, typed: &str) {
        let typed = without_keys(typed);
        let name = self.full_name(field);
        match typed
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(variable) if !variable.contains('}') => {
                self.variables.entry(variable.to_owned()).or_insert(name);
            }
            _ => self.add_literal(&name, &typed),
        }
    }

    fn add_literal(&mut self, name: &str, text: &str) {
        if text.is_empty() || self.names.iter().any(|(known, _)| known == text) {
            return;
        }
        let taken = |name: &str| self.names.iter().any(|(_, known)| known == name);
        let mut free = name.to_owned();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name}_{number}");
            number += 1;
        }
        self.names.push((text.to_owned(), free));
    }

    fn full_name(&self, field: &str) -> String {
        format!("{}_{}", self.system, upper(field))
    }

    /// The secret that is typed here: `${secret:TRAMITES_CLAVE}`.
    pub fn reference(&self, command: &Command) -> Option<String> {
        let typed = without_keys(&command.value);
        let name = match typed_into(command) {
            _ if typed.is_empty() => None,
            // What is read from a page, or is handed over, is known by its variable.
            Some(_) if typed.starts_with("${") && typed.ends_with('}') => None,
            Some(field) => Some(
                self.of_literal(&typed)
                    .unwrap_or_else(|| self.full_name(&field)),
            ),
            // Typed again, to be sure.
            None => self.of_literal(&typed),
        };
        name.map(|name| format!("${{secret:{name}}}"))
    }

    /// What it is called, if this text is one.
    pub fn of_literal(&self, text: &str) -> Option<String> {
        let known = self.names.iter().find(|(known, _)| known == text);
        known.map(|(_, name)| name.clone())
    }

    /// What it is called, if this variable holds one.
    pub fn of_variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A password stands in this text.
    pub fn stand_in(&self, text: &str) -> bool {
        self.names.iter().any(|(password, _)| {
            text == password
                || (password.len() >= FOUND_INSIDE_MIN && text.contains(password.as_str()))
        })
    }

    /// The text without them.
    pub fn hidden_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (password, _) in &self.names {
            if text == *password || password.len() >= FOUND_INSIDE_MIN {
                text = text.replace(password.as_str(), "***");
            }
        }
        text
    }
}

/// User, password and the address without them: `https://ana:clave@t.example/`.
pub fn credentials(address: &str) -> Option<(String, String, String)> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (login, _) = authority.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let bare = format!("{scheme}://{}", &rest[login.len() + 1..]);
    (!password.is_empty()).then(|| (bare, user.to_owned(), password.to_owned()))
}

/// The field's name, if the command types into one for passwords.
fn typed_into(command: &Command) -> Option<String> {
    let name = command.name.trim_start_matches('/').trim();
    let name = name.strip_suffix("AndWait").unwrap_or(name);
    if !matches!(name, "type" | "sendKeys" | "editContent" | "typeKeys") {
        return None;
    }
    let recorded = command.targets.iter().map(|(text, _)| text.as_str());
    let locators: Vec<&str> = [command.target.as_str()]
        .into_iter()
        .chain(recorded)
        .collect();
    field(&locators)
}

/// The name of the field that these locators or selectors find, if it is one for passwords.
pub fn field(locators: &[&str]) -> Option<String> {
    let named = locators.iter().find_map(|locator| {
        let by_id = locator.strip_prefix('#').map(|id| ("id", id));
        let (kind, value) = by_id.or_else(|| locator.split_once('='))?;
        let words = words(value);
        (matches!(kind, "id" | "name") && is_password(&words)).then(|| field_name(&words))
    });
    named.or_else(|| {
        let words = locators.iter().map(|locator| words(locator));
        let words = words.into_iter().find(|words| is_password(words))?;
        words
            .into_iter()
            .find(|word| is_password(std::slice::from_ref(word)))
    })
}

/// Without what programmers write before a name.
fn field_name(words: &[String]) -> String {
    let is_prefix = |word: &str| {
        matches!(
            word,
            "txt" | "input" | "inp" | "field" | "campo" | "tb" | "j" | "form" | "login"
        )
    };
    let kept: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !is_prefix(word))
        .collect();
    kept.join("-")
}

/// The words that people call passwords by, in English, Spanish and Portuguese; `palabra clave` is none.
fn is_password(words: &[String]) -> bool {
    let is = |word: &str| {
        ["password", "passwd", "passphrase", "contrase", "senha"]
            .iter()
            .any(|part| word.contains(part))
            || matches!(
                word,
                "pass" | "pwd" | "psw" | "pin" | "userpass" | "txtpwd" | "txtpass"
            )
    };
    words.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).map_or("", |at| words[at].as_str());
        is(word)
            || (word.contains("clave")
                && !word.contains("palabra")
                && !before.starts_with("palabra"))
    })
}

/// What is typed, without the keys that are pressed after it.
fn without_keys(typed: &str) -> String {
    let mut text = String::new();
    let mut rest = typed;
    while let Some(start) = rest.find("${KEY_") {
        text.push_str(&rest[..start]);
        rest = rest[start..].split_once('}').map_or("", |(_, after)| after);
    }
    (text + rest).trim().to_owned()
}

/// What an environment variable can be called.
fn upper(name: &str) -> String {
    let name = slug(name).replace('-', "_").to_uppercase();
    let name: String = name
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name
    } else {
        format!("S{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(name: &str) -> bool {
        is_password(&words(name))
    }

    #[test]
    fn a_field_for_a_password_is_known_by_what_it_is_called() {
        for name in [
            "clave",
            "txtClave",
            "j_password",
            "userPass",
            "contraseña",
            "nueva-contrasena",
            "PIN",
            "pwd",
            "//input[@type='password']",
            "Clave:",
        ] {
            assert!(is(name), "{name}");
        }
        for name in [
            "palabraClave",
            "palabras_clave",
            "palabraclave",
            "passenger",
            "pasaporte",
            "opinion",
            "compass",
            "pinta",
            "usuario",
        ] {
            assert!(!is(name), "{name}");
        }
    }

    #[test]
    fn each_password_has_a_name_of_its_own_and_keeps_it() {
        let typed = |target: &str, value: &str| Command {
            name: "type".into(),
            target: target.into(),
            value: value.into(),
            ..Command::default()
        };
        let test = super::super::side::Test {
            commands: vec![
                typed("id=clave", "uno-dos"),
                typed("name=clave", "otra"),
                typed("id=clave", "uno-dos"),
                typed("id=repetir", "uno-dos"),
                typed("id=usuario", "ana"),
                typed("css=.login input[type=password]", "${clave_robot}"),
            ],
            ..super::super::side::Test::default()
        };
        let commands = test.commands.clone();
        let project = Project {
            tests: vec![test],
            ..Project::default()
        };
        let passwords = Passwords::of(&project, "trámites-2");
        let references: Vec<_> = commands
            .iter()
            .map(|command| passwords.reference(command))
            .collect();
        let secret = |name: &str| Some(format!("${{secret:{name}}}"));
        assert_eq!(
            references,
            [
                secret("TRAMITES_2_CLAVE"),
                secret("TRAMITES_2_CLAVE_2"),
                secret("TRAMITES_2_CLAVE"),
                secret("TRAMITES_2_CLAVE"),
                None,
                None
            ]
        );
        assert_eq!(
            passwords.of_variable("clave_robot"),
            Some("TRAMITES_2_PASSWORD")
        );
        assert_eq!(passwords.hidden_in("echo uno-dos!"), "echo ***!");
        assert!(passwords.stand_in("x uno-dos") && !passwords.stand_in("ana"));
    }
}
