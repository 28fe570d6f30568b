//! A file that the system hands out.

use schemars::JsonSchema;
use serde::Deserialize;

/// What the file must be; an empty one is never right.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// The name that the system gives it; `*` stands for anything.
    pub name: Option<String>,
    /// In bytes.
    pub at_least_bytes: Option<u64>,
    /// A text in it, for example `%PDF-`.
    pub contains: Option<String>,
}

impl Download {
    /// Whether a file's name is the one that is meant.
    pub fn is_called(&self, name: &str) -> bool {
        let Some(pattern) = &self.name else {
            return true;
        };
        let Some((beginning, rest)) = pattern.split_once('*') else {
            return name == pattern;
        };
        let Some(mut left) = name.strip_prefix(beginning) else {
            return false;
        };
        let mut pieces: Vec<&str> = rest.split('*').collect();
        let end = pieces.pop().unwrap_or_default();
        for piece in pieces {
            match left.split_once(piece) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_name_stands_for_anything() {
        let is_called = |pattern: &str, name: &str| {
            let name_pattern = Some(pattern.to_owned());
            let download = Download {
                name: name_pattern,
                ..Download::default()
            };
            download.is_called(name)
        };
        for (pattern, name) in [
            ("a.pdf", "a.pdf"),
            ("*.pdf", "a.pdf"),
            ("acta-*-2026*.pdf", "acta-12-2026-x.pdf"),
            ("*", ""),
        ] {
            assert!(is_called(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a.pdf", "b.pdf"),
            ("*.pdf", "a.pdf.html"),
            ("aa*aa", "aaa"),
            ("a*b*c", "acb"),
        ] {
            assert!(!is_called(pattern, name), "{pattern} {name}");
        }
    }
}
