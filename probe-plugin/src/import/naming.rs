//! What programmers call things, and the words in it.

/// Names that a framework made up and will make up otherwise tomorrow.
pub fn is_generated(name: &str) -> bool {
    let digits = name
        .split(|letter: char| !letter.is_ascii_digit())
        .map(str::len)
        .max();
    digits.unwrap_or_default() >= 3 || name.starts_with("j_idt") || name.contains(":j_idt")
}

/// `btn-buscar-expediente` is `Buscar expediente`.
pub fn in_words(name: &str) -> Option<String> {
    let mut words: Vec<String> = words(name);
    let is_kind = |word: &String| {
        matches!(
            word.as_str(),
            "btn" | "button" | "boton" | "bt" | "lnk" | "link" | "cmd" | "id"
        )
    };
    if words.len() > 1 {
        words.retain(|word| !is_kind(word));
    }
    let text = words.join(" ");
    let first = text.chars().next()?;
    Some(first.to_uppercase().chain(text.chars().skip(1)).collect())
}

/// The words of a name, in lower case: `txtClave_2` is `txt`, `clave`, `2`.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for letter in name.chars() {
        let begins = !before.is_alphanumeric()
            || (before.is_lowercase() && letter.is_uppercase())
            || (before.is_ascii_digit() != letter.is_ascii_digit());
        if letter.is_alphanumeric() {
            if begins || words.is_empty() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_words() {
        for (name, text) in [
            ("btn-buscar-expediente", "Buscar expediente"),
            ("btnBuscar", "Buscar"),
            ("ingresar", "Ingresar"),
            ("btn", "Btn"),
        ] {
            assert_eq!(in_words(name).as_deref(), Some(text), "{name}");
        }
        assert_eq!(words("txtClave_2"), ["txt", "clave", "2"]);
    }
}
