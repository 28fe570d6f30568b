//! Fills in `${name}`: the same journey against another address.

use std::collections::BTreeMap;

/// Names and what stands for them.
pub type Variables = BTreeMap<String, String>;

/// Puts every variable in its place; `${secret:...}`, `${totp:...}` and `${stored:...}` are left for the moment of use.
///
/// # Errors
///
/// The names that nobody defined.
pub fn fill_in(text: &str, variables: &Variables) -> Result<String, Vec<String>> {
    let mut filled = String::with_capacity(text.len());
    let mut unknown = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}').map(|length| start + length) else {
            break;
        };
        let name = &rest[start + 2..end];
        filled.push_str(&rest[..start]);
        match variables.get(name) {
            Some(value) => filled.push_str(value),
            None if ["secret:", "totp:", "stored:"]
                .iter()
                .any(|kind| name.starts_with(kind)) =>
            {
                filled.push_str(&rest[start..=end]);
            }
            None => unknown.push(name.to_owned()),
        }
        rest = &rest[end + 1..];
    }
    filled.push_str(rest);
    if unknown.is_empty() {
        Ok(filled)
    } else {
        Err(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_secrets_are_left_alone() {
        let variables = Variables::from([("portal".into(), "https://t.example".into())]);
        assert_eq!(
            fill_in(
                "${portal}/x?y=${secret:Z}&${stored:n}&${totp:Z}${",
                &variables
            ),
            Ok("https://t.example/x?y=${secret:Z}&${stored:n}&${totp:Z}${".into())
        );
        assert_eq!(
            fill_in("${portal}/${which}", &variables),
            Err(vec!["which".into()])
        );
    }
}
