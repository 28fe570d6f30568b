//! Cuts a selector into its parts, and a part into its kind and value.

/// What stands between ` >> `, outside of quotes.
pub fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(end) = end_of_part(rest) {
        parts.push(rest[..end].trim());
        rest = &rest[end + SEPARATOR.len()..];
    }
    parts.push(rest.trim());
    parts
}

const SEPARATOR: &str = ">>";

/// Where the separator begins that ends the first part.
fn end_of_part(text: &str) -> Option<usize> {
    let quotes = Quotes::of(text);
    let mut quote = None;
    let mut escaped = false;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        if quote.is_none() && text[at..].starts_with(SEPARATOR) {
            let behind = text[at + SEPARATOR.len()..].chars().next();
            if before.is_whitespace() && behind.is_none_or(char::is_whitespace) {
                return Some(at);
            }
        }
        before = letter;
        match quote {
            _ if escaped => escaped = false,
            _ if letter == '\\' && quotes.escapes() => escaped = true,
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '\'' | '"') && quotes.begin_at(at) => quote = Some(letter),
            Some(_) | None => {}
        }
    }
    None
}

/// Where quotes mean something.
enum Quotes {
    /// Anywhere, and `\` takes the meaning of what follows.
    Anywhere,
    /// Anywhere; nothing takes their meaning.
    XPath,
    /// Only where the value begins: an apostrophe is a letter.
    AroundValue(usize),
}

impl Quotes {
    fn of(text: &str) -> Self {
        let (by, value) = kind_and_value(text.trim_start());
        match by {
            "xpath" => Self::XPath,
            "text" | "named" | "label" | "placeholder" | "testid" => {
                Self::AroundValue(text.len() - value.trim_start().len())
            }
            _ => Self::Anywhere,
        }
    }

    fn begin_at(&self, at: usize) -> bool {
        match self {
            Self::AroundValue(beginning) => at == *beginning,
            Self::Anywhere | Self::XPath => true,
        }
    }

    fn escapes(&self) -> bool {
        !matches!(self, Self::XPath)
    }
}

/// `label=Usuario`; what begins with no kind is CSS.
pub fn kind_and_value(text: &str) -> (&str, &str) {
    match text.split_once('=') {
        Some((by, value))
            if by.chars().all(|letter| letter.is_ascii_lowercase()) && !by.is_empty() =>
        {
            (by, value)
        }
        _ => ("css", text),
    }
}

/// The value, and whether quotes held it; nothing where they hold only a part of it.
pub fn unquote(value: &str) -> Option<(String, bool)> {
    if value.starts_with(['\'', '"']) {
        let (inner, rest) = quoted(value)?;
        return rest.is_empty().then_some((inner, true));
    }
    let begins_with_escaped_quote = value.starts_with("\\'") || value.starts_with("\\\"");
    let value = if begins_with_escaped_quote {
        &value[1..]
    } else {
        value
    };
    Some((value.to_owned(), false))
}

/// What the quotes hold that the text begins with, and what stands behind them.
pub fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'))?;
    let mut inner = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Some((inner, &text[at + letter.len_utf8()..]));
        }
        let escaped =
            letters.next_if(|(_, next)| letter == '\\' && matches!(next, '\\' | '\'' | '"'));
        inner.push(escaped.map_or(letter, |(_, meant)| meant));
    }
    None
}
