//! Takes secrets out of what is told: addresses, errors, the source of a page, its console, its requests.

mod across;
mod address;
mod forms;
mod page;

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use vigia_contract::secret::{ExposeSecret, SecretPlaces, SecretString};

use crate::journey::Journey;
use across::{Folded, fold};

/// What stands where a secret stood.
const MASK: &str = "***";

/// What stands where the robot's script has cut a text.
const CUT: char = '…';

/// So much of the beginning of a secret is one before a cut.
const CUT_MIN_CHARACTERS: usize = 3;

/// The secrets of one journey, in every form in which they turn up.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    forms: Vec<String>,
    /// The same without what a page adds for its looks.
    folded: Vec<String>,
}

impl Redaction {
    /// One that cannot be had cannot be told either.
    pub fn of(journey: &Journey, places: &SecretPlaces) -> Self {
        let names = journey.secrets();
        let found = names.into_iter().filter_map(|name| places.find(name).ok());
        Self::of_secrets(&found.collect::<Vec<_>>())
    }

    /// Those of these values.
    pub fn of_secrets(secrets: &[SecretString]) -> Self {
        let mut redaction = Self::default();
        redaction.add(secrets);
        redaction
    }

    /// Also these, which were only made during the run.
    pub fn add(&mut self, secrets: &[SecretString]) {
        let more = secrets
            .iter()
            .flat_map(|secret| forms::forms(secret.expose_secret()));
        self.forms.extend(more);
        longest_first(&mut self.forms);
        self.folded = self.forms.iter().map(|form| fold(form)).collect();
        longest_first(&mut self.folded);
    }

    /// There is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// How long a secret can be.
    pub fn longest_bytes(&self) -> usize {
        self.forms.first().map_or(0, String::len)
    }

    /// Whether a file that is no text holds one of them as it is.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let held = |form: &&String| {
            bytes
                .windows(form.len())
                .any(|window| window == form.as_bytes())
        };
        self.forms.iter().any(|form| held(&form))
    }

    /// Whether a text holds one, by itself; also where it is the address of a drawing that has its source in it.
    pub fn is_in_text(&self, text: &str) -> bool {
        let is_in = |text: &str| {
            let letters = page::letters(text);
            !letters.find(&self.folded).is_empty() || self.is_in(text.as_bytes())
        };
        let inner = text.split_once(";base64,").and_then(|(_, rest)| {
            let end = rest.find(['"', '\'', ')']).unwrap_or(rest.len());
            STANDARD.decode(&rest[..end]).ok()
        });
        is_in(text)
            || text.contains('%') && is_in(&address::decode(text))
            || inner.is_some_and(|inner| is_in(&String::from_utf8_lossy(&inner)))
    }

    /// Which of these texts, that a page shows one behind the other, hold one or a part of one.
    pub fn parts_in(&self, texts: &[&str]) -> BTreeSet<usize> {
        let mut whole = Folded::default();
        for (index, text) in texts.iter().enumerate() {
            whole.add(index, text);
        }
        let letters = whole.find(&self.folded);
        letters.into_iter().map(|(piece, ..)| piece).collect()
    }

    /// The text with a mask in the place of every secret.
    pub fn apply(&self, text: &str) -> String {
        let masked = self
            .forms
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
        if self.is_empty() {
            return masked;
        }
        let masked = if masked.contains('%') {
            let letters = address::letters(&masked).find(&self.folded);
            let mut pieces = [masked];
            across::mask(&mut pieces, &letters, MASK);
            let [masked] = pieces;
            masked
        } else {
            masked
        };
        if masked.contains(CUT) {
            self.without_beginnings(&masked)
        } else {
            masked
        }
    }

    /// A text that was cut may end in the beginning of a secret.
    fn without_beginnings(&self, text: &str) -> String {
        let mut parts = text.split(CUT).peekable();
        let mut whole = String::with_capacity(text.len());
        while let Some(part) = parts.next() {
            let is_cut = parts.peek().is_some();
            let begun = is_cut.then(|| self.begun_at(part)).flatten();
            match begun {
                Some(start) => {
                    whole.push_str(&part[..start]);
                    whole.push_str(MASK);
                }
                None => whole.push_str(part),
            }
            if is_cut {
                whole.push(CUT);
            }
        }
        whole
    }

    /// Where the beginning of a secret begins that ends this text.
    fn begun_at(&self, text: &str) -> Option<usize> {
        let longest = self.longest_bytes();
        text.char_indices()
            .filter(|(start, _)| text.len() - start <= longest)
            .map(|(start, _)| start)
            .find(|start| {
                let end = &text[*start..];
                end.chars().count() >= CUT_MIN_CHARACTERS
                    && self.forms.iter().any(|form| form.starts_with(end))
            })
    }

    /// The source of a page; a secret is found there also where tags or entities stand inside of it.
    pub fn apply_to_page(&self, html: &str) -> String {
        let mut pieces = [self.apply(html)];
        let letters = page::letters(&pieces[0]).find(&self.folded);
        across::mask(&mut pieces, &letters, MASK);
        let [masked] = pieces;
        masked
    }

    /// Texts that follow each other; a secret may begin in one and end in the next.
    pub fn apply_across(&self, texts: &mut [String]) {
        let mut whole = Folded::default();
        for (index, text) in texts.iter_mut().enumerate() {
            *text = self.apply(text);
            whole.add(index, text);
        }
        let letters = whole.find(&self.folded);
        across::mask(texts, &letters, MASK);
    }

    /// Every text in it, the names too.
    pub fn apply_to_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.apply(&text).into(),
            Value::Array(values) => {
                let values = values.into_iter();
                values.map(|value| self.apply_to_json(value)).collect()
            }
            Value::Object(values) => values
                .into_iter()
                .map(|(name, value)| (self.apply(&name), self.apply_to_json(value)))
                .collect(),
            other => other,
        }
    }
}

/// A secret may be the beginning of another.
fn longest_first(forms: &mut Vec<String>) {
    forms.retain(|form| !form.is_empty());
    forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    forms.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(secrets: &[&str]) -> Redaction {
        let secrets: Vec<SecretString> = secrets.iter().map(|&secret| secret.into()).collect();
        Redaction::of_secrets(&secrets)
    }

    #[test]
    fn a_secret_is_masked_in_every_form_in_which_an_address_holds_it() {
        let redaction = of(&["p@ss ñ/1"]);
        for text in [
            "p@ss ñ/1",
            "p%40ss+%C3%B1%2F1",
            "p%40ss%20%c3%b1%2f1",
            "p%2540ss%2520%25C3%25B1%252F1",
        ] {
            assert_eq!(redaction.apply(&format!("?c={text}&x=1")), "?c=***&x=1");
        }
        // As it stands behind a #: there other letters are encoded.
        assert_eq!(redaction.apply("/#p@ss%20%C3%B1/1"), "/#***%20***");
    }

    #[test]
    fn a_secret_is_masked_as_html_json_base64_and_hexadecimal_digits() {
        let redaction = of(&["a<b\"&'ñ1"]);
        for text in [
            "a&lt;b\"&amp;'ñ1",
            "a<b&quot;&amp;'ñ1",
            "a&lt;b&quot;&amp;&#39;ñ1",
            r#"a<b\"&'ñ1"#,
            r#"a<b\"&'\u00f11"#,
            r#"a\u003cb\"\u0026'\u00f11"#,
            "613c62222627c3b131",
        ] {
            assert_eq!(redaction.apply(text), "***", "{text}");
        }
        // robot:a<b"&'ñ1
        let basic = redaction.apply("Basic cm9ib3Q6YTxiIiYnw7Ex");
        assert_eq!(basic, "Basic cm9ib3Q6***");
    }

    #[test]
    fn a_secret_that_begins_like_another_leaves_no_tail() {
        let redaction = of(&["clave", "clavesecreta123"]);
        assert_eq!(redaction.apply("x=clave&y=clavesecreta123"), "x=***&y=***");
    }

    #[test]
    fn a_drawing_that_has_its_source_in_its_address_is_read() {
        let redaction = of(&["a<b&1"]);
        for address in [
            "data:image/svg+xml;charset=utf-8,%3Ctext%3Ea%26lt%3Bb%26amp%3B1%3C/text%3E",
            // <text>a&lt;b&amp;1</text>
            "url(\"data:image/svg+xml;base64,PHRleHQ+YSZsdDtiJmFtcDsxPC90ZXh0Pg==\")",
        ] {
            assert!(redaction.is_in_text(address), "{address}");
        }
        assert!(!redaction.is_in_text("data:image/svg+xml,%3Ctext%3Ea%3C/text%3E"));
    }

    #[test]
    fn the_beginning_of_a_secret_that_a_cut_has_left_is_masked() {
        let redaction = of(&["una-clave-muy-larga"]);
        assert_eq!(
            redaction.apply("`Su clave es una-clave-m…`, `Su…` and una"),
            "`Su clave es ***…`, `Su…` and una"
        );
    }

    #[test]
    fn a_secret_is_found_through_the_tags_of_a_page() {
        let redaction = of(&["Clave 123"]);
        for html in [
            "<p><b>C</b><i title=\"a>b\">la</i>ve<!-- x -->&nbsp;1&#50;<br>3</p>",
            "<P>CLAVE 123</P>",
        ] {
            let masked = redaction.apply_to_page(html);
            assert!(masked.contains("***"), "{masked}");
            let shown: String = page::letters(&masked)
                .find(&["c".into()])
                .iter()
                .map(|_| 'c')
                .collect();
            assert_eq!(shown, "", "{masked}");
        }
        let plain = "<p>Su clave, 123 & más</p>";
        assert_eq!(redaction.apply_to_page(plain), plain);
    }

    #[test]
    fn a_secret_that_is_split_over_messages_is_masked_in_both() {
        let mut texts = ["es cla".to_owned(), "ve-123!".into(), "nada".into()];
        of(&["clave-123"]).apply_across(&mut texts);
        assert_eq!(texts, ["es ***", "***!", "nada"]);
        assert_eq!(
            of(&["clave-123"]).parts_in(&["es", "CLA", "ve-", " 123", "x"]),
            BTreeSet::from([1, 2, 3])
        );
    }
}
