//! Takes secrets out of what is told: the address of a page, an error that quotes it.

use std::fmt::Write;

use vigia_contract::secret::{ExposeSecret, SecretPlaces, SecretString};

use crate::journey::Journey;

/// What stands where a secret stood.
const MASK: &str = "***";

/// The secrets of one journey, in every form in which an address holds them.
pub struct Redaction(Vec<String>);

impl Redaction {
    /// One that cannot be had cannot be told either.
    pub fn of(journey: &Journey, places: &SecretPlaces) -> Self {
        let names = journey.secrets();
        let found = names.into_iter().filter_map(|name| places.find(name).ok());
        Self::of_secrets(&found.collect::<Vec<_>>())
    }

    /// Those of these values.
    pub fn of_secrets(secrets: &[SecretString]) -> Self {
        let mut redaction = Self(Vec::new());
        redaction.add(secrets);
        redaction
    }

    /// Also these, which were only made during the run.
    pub fn add(&mut self, secrets: &[SecretString]) {
        let known = std::mem::take(&mut self.0);
        let more = secrets
            .iter()
            .flat_map(|secret| forms(secret.expose_secret()));
        *self = Self::of_values(known.into_iter().chain(more).collect());
    }

    /// The longest first: a secret may be the beginning of another.
    fn of_values(mut forms: Vec<String>) -> Self {
        forms.retain(|form| !form.is_empty());
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self(forms)
    }

    /// How long a secret can be.
    pub fn longest_bytes(&self) -> usize {
        self.0.first().map_or(0, String::len)
    }

    /// Whether a file that is no text holds one of them as it is.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let held = |form: &&String| {
            bytes
                .windows(form.len())
                .any(|window| window == form.as_bytes())
        };
        self.0.iter().any(|form| held(&form))
    }

    /// The text with a mask in the place of every secret.
    pub fn apply(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }
}

/// As it is, percent-encoded as in a path, and as a form sends it; with either kind of hexadecimal digits.
fn forms(secret: &str) -> Vec<String> {
    let upper = percent_encoded(secret);
    let form = upper.replace("%20", "+");
    let lower = |text: &str| with_small_digits(text);
    vec![secret.to_owned(), lower(&upper), lower(&form), upper, form]
}

/// Everything but letters, digits and `-._*` is encoded, which is what forms do; `~!'()` stay in some encoders and are rare.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

fn with_small_digits(encoded: &str) -> String {
    let mut digits = 0;
    encoded
        .chars()
        .map(|character| {
            if character == '%' {
                digits = 2;
                character
            } else if digits > 0 {
                digits -= 1;
                character.to_ascii_lowercase()
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form_in_which_an_address_holds_it() {
        let redaction = Redaction::of_values(forms("p@ss ñ/1"));
        for text in ["p@ss ñ/1", "p%40ss+%C3%B1%2F1", "p%40ss%20%c3%b1%2f1"] {
            assert_eq!(redaction.apply(&format!("?c={text}&x=1")), "?c=***&x=1");
        }
    }

    #[test]
    fn a_secret_that_begins_like_another_leaves_no_tail() {
        let secrets = ["clave", "clavesecreta123"];
        let redaction =
            Redaction::of_values(secrets.iter().flat_map(|secret| forms(secret)).collect());
        assert_eq!(redaction.apply("x=clave&y=clavesecreta123"), "x=***&y=***");
    }
}
