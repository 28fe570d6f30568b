//! The forms in which a secret turns up in what a page, a log or a protocol says: pure texts.

use std::fmt::Write;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// A shorter piece of Base64 or of hexadecimal digits stands in many texts that hold no secret.
const ENCODED_MIN_CHARACTERS: usize = 6;

/// As it is, and as addresses, forms, HTML, JSON, Base64 and hexadecimal digits write it.
pub fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for upper in [
        percent_encoded(secret, "-._*"),
        // What encodeURIComponent leaves as it is.
        percent_encoded(secret, "-._~!*'()"),
    ] {
        let plus = upper.replace("%20", "+");
        forms.push(upper.replace('%', "%25"));
        forms.extend([with_small_digits(&upper), with_small_digits(&plus)]);
        forms.extend([upper, plus]);
    }
    forms.extend(in_html(secret));
    forms.extend(in_json(secret));
    forms.extend(in_base64(secret.as_bytes()));
    forms.extend(in_hex(secret.as_bytes()));
    forms.retain(|form| !form.is_empty());
    forms
}

/// Everything but letters, digits and what is `kept` is encoded.
fn percent_encoded(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
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

/// As a browser writes a text and an attribute, and as templates do.
fn in_html(secret: &str) -> Vec<String> {
    let text = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let attribute = secret.replace('&', "&amp;").replace('"', "&quot;");
    let both = text.replace('"', "&quot;");
    let mut forms: Vec<String> = ["&#39;", "&#x27;", "&apos;"]
        .iter()
        .map(|quote| both.replace('\'', quote))
        .collect();
    forms.extend([text.replace('"', "&#34;").replace('\'', "&#39;")]);
    forms.extend([text, attribute, both]);
    forms
}

/// As every writer of JSON has it, and as those have it that leave nothing but ASCII, or nothing that HTML could misread.
fn in_json(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let plain = quoted[1..quoted.len() - 1].to_owned();
    let escaped = |text: &str, also: &str| {
        let mut ascii = String::new();
        for character in text.chars() {
            if character.is_ascii() && !also.contains(character) {
                ascii.push(character);
            } else {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(ascii, "\\u{unit:04x}").ok();
                }
            }
        }
        ascii
    };
    vec![
        escaped(&plain, ""),
        escaped(&plain, "<>&"),
        plain.replace('/', "\\/"),
        // JSON as a text in JSON.
        plain.replace('\\', "\\\\").replace('"', "\\\""),
        plain,
    ]
}

/// A secret may begin at any of three places in the bytes that are encoded together; the letters at its borders also hold
/// bits of its neighbours and are left out.
fn in_base64(secret: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        // Six bits a letter: those of the first `before` bytes, and those of the last letter where it is not whole.
        let first = (before * 8).div_ceil(6);
        let end = bytes.len() * 8 / 6;
        for encoded in [
            STANDARD_NO_PAD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
        ] {
            if let Some(own) = encoded.get(first..end)
                && own.len() >= ENCODED_MIN_CHARACTERS
            {
                forms.push(own.to_owned());
            }
        }
    }
    forms
}

fn in_hex(secret: &[u8]) -> Vec<String> {
    let digits = secret.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").ok();
        digits
    });
    if digits.len() < ENCODED_MIN_CHARACTERS {
        return Vec::new();
    }
    vec![digits.to_uppercase(), digits]
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn base64_of_anything_around_a_secret_holds_one_of_its_forms() {
        let secret = "Clave?ñ>123";
        for (before, behind) in [
            ("", ""),
            ("robot:", ""),
            ("a", "bc"),
            ("ab", "c"),
            ("abc", ""),
        ] {
            let whole = STANDARD.encode(format!("{before}{secret}{behind}"));
            assert!(
                forms(secret).iter().any(|form| whole.contains(form)),
                "{whole}"
            );
        }
    }
}
