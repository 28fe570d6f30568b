//! A name as people write it, turned into one that is safe in a tag, an address and a file name.

/// Lower case, without accents, every run of other characters a single hyphen: `Búsqueda de trámites` is
/// `busqueda-de-tramites`.
///
/// Letters of other scripts stay as they are. A text without any letter or digit gives an empty slug.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name
        .chars()
        .flat_map(char::to_lowercase)
        .map(without_accent)
    {
        if character.is_alphanumeric() {
            out.push(character);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

/// The base letter of the accented letters of the languages of western Europe.
const fn without_accent(character: char) -> char {
    match character {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_slug_is_what_one_would_type_in_an_address() {
        for (name, expected) in [
            ("Ingresar", "ingresar"),
            ("Búsqueda de trámites", "busqueda-de-tramites"),
            ("  Año 2026 / Ñandú!  ", "ano-2026-nandu"),
            ("---", ""),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
    }
}
