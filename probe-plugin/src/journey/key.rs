//! The keys of a keyboard, by the names that the browser's own key events give them. Characters are where a US keyboard
//! has them; a character that it does not have comes without a place.

use serde::{Deserialize, Deserializer, de::Error};

/// A key as the browser wants it pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `KeyboardEvent.key`.
    pub name: String,
    /// `KeyboardEvent.code`; empty for a character that the keyboard does not have.
    pub code: String,
    /// Windows' virtual key code, which pages read as `keyCode`.
    pub virtual_code: u32,
    /// What it types, if it types anything.
    pub text: Option<String>,
    /// The keys that are held down meanwhile.
    pub held: Vec<Modifier>,
    /// The character is on the upper half of its key.
    shifted: bool,
}

/// A key that changes what others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// Alt.
    Alt,
    /// Control.
    Control,
    /// The Windows or command key.
    Meta,
    /// Shift.
    Shift,
}

impl Modifier {
    const ALL: [Self; 4] = [Self::Alt, Self::Control, Self::Meta, Self::Shift];

    /// `KeyboardEvent.key`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alt => "Alt",
            Self::Control => "Control",
            Self::Meta => "Meta",
            Self::Shift => "Shift",
        }
    }

    /// Its bit in the protocol's `modifiers`.
    pub const fn bit(self) -> u32 {
        match self {
            Self::Alt => 1,
            Self::Control => 2,
            Self::Meta => 4,
            Self::Shift => 8,
        }
    }
}

/// The named keys: name, code, virtual key code, text.
/// Source: UI Events `KeyboardEvent` key and code values, and Microsoft's list of virtual key codes.
const NAMED: [(&str, &str, u32, Option<&str>); 39] = [
    ("Enter", "Enter", 13, Some("\r")),
    ("Tab", "Tab", 9, None),
    ("Escape", "Escape", 27, None),
    ("Backspace", "Backspace", 8, None),
    ("Delete", "Delete", 46, None),
    ("Insert", "Insert", 45, None),
    ("Space", "Space", 32, Some(" ")),
    ("ArrowUp", "ArrowUp", 38, None),
    ("ArrowDown", "ArrowDown", 40, None),
    ("ArrowLeft", "ArrowLeft", 37, None),
    ("ArrowRight", "ArrowRight", 39, None),
    ("Home", "Home", 36, None),
    ("End", "End", 35, None),
    ("PageUp", "PageUp", 33, None),
    ("PageDown", "PageDown", 34, None),
    ("ContextMenu", "ContextMenu", 93, None),
    ("Alt", "AltLeft", 18, None),
    ("Control", "ControlLeft", 17, None),
    ("Meta", "MetaLeft", 91, None),
    ("Shift", "ShiftLeft", 16, None),
    ("AltGraph", "AltRight", 225, None),
    ("CapsLock", "CapsLock", 20, None),
    ("Help", "Help", 47, None),
    ("NumLock", "NumLock", 144, None),
    ("Pause", "Pause", 19, None),
    ("PrintScreen", "PrintScreen", 44, None),
    ("ScrollLock", "ScrollLock", 145, None),
    ("F1", "F1", 112, None),
    ("F2", "F2", 113, None),
    ("F3", "F3", 114, None),
    ("F4", "F4", 115, None),
    ("F5", "F5", 116, None),
    ("F6", "F6", 117, None),
    ("F7", "F7", 118, None),
    ("F8", "F8", 119, None),
    ("F9", "F9", 120, None),
    ("F10", "F10", 121, None),
    ("F11", "F11", 122, None),
    ("F12", "F12", 123, None),
];

/// The keys of a US keyboard that are no letters: plain character, shifted character, code, virtual key code.
const CHARACTERS: [(char, char, &str, u32); 22] = [
    (' ', ' ', "Space", 32),
    ('0', ')', "Digit0", 48),
    ('1', '!', "Digit1", 49),
    ('2', '@', "Digit2", 50),
    ('3', '#', "Digit3", 51),
    ('4', '$', "Digit4", 52),
    ('5', '%', "Digit5", 53),
    ('6', '^', "Digit6", 54),
    ('7', '&', "Digit7", 55),
    ('8', '*', "Digit8", 56),
    ('9', '(', "Digit9", 57),
    (';', ':', "Semicolon", 186),
    ('=', '+', "Equal", 187),
    (',', '<', "Comma", 188),
    ('-', '_', "Minus", 189),
    ('.', '>', "Period", 190),
    ('/', '?', "Slash", 191),
    ('`', '~', "Backquote", 192),
    ('[', '{', "BracketLeft", 219),
    ('\\', '|', "Backslash", 220),
    (']', '}', "BracketRight", 221),
    ('\'', '"', "Quote", 222),
];

impl Key {
    /// One of the named keys or any single character, with the keys that are held down before it: `Control+Shift+K`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut held = Vec::new();
        let mut rest = text;
        while let Some((modifier, after)) = Modifier::ALL.into_iter().find_map(|modifier| {
            let after = rest.strip_prefix(modifier.name())?.strip_prefix('+')?;
            (!after.is_empty()).then_some((modifier, after))
        }) {
            held.push(modifier);
            rest = after;
        }
        let mut characters = rest.chars();
        let key = match (characters.next(), characters.next()) {
            (Some(character), None) if !character.is_control() => Self::of_character(character),
            _ => Self::named(rest).ok_or_else(|| {
                let names: Vec<&str> = NAMED.iter().map(|named| named.0).filter(|name| !is_function_key(name)).collect();
                format!(
                    "unknown key `{text}`\nhint: a single character, or one of {}, F1 to F12; with others held down: Control+A",
                    names.join(", ")
                )
            })?,
        };
        Ok(key.with(held))
    }

    /// The key that a user presses for a character of a text; a line feed is the key `Enter`.
    pub fn of_character(character: char) -> Self {
        let name = match character {
            '\n' | '\r' => Some("Enter"),
            '\t' => Some("Tab"),
            _ => None,
        };
        if let Some(key) = name.and_then(Self::named) {
            return key;
        }
        let (code, virtual_code, shifted) = place(character);
        Self {
            name: character.to_string(),
            code,
            virtual_code,
            text: Some(character.to_string()),
            held: Vec::new(),
            shifted,
        }
    }

    /// The key that removes what is selected.
    pub fn delete() -> Self {
        Self::named("Delete").expect("the key is among the named ones")
    }

    fn named(name: &str) -> Option<Self> {
        let (name, code, virtual_code, text) = NAMED.into_iter().find(|named| named.0 == name)?;
        Some(Self {
            name: text.filter(|text| *text == " ").unwrap_or(name).to_owned(),
            code: code.to_owned(),
            virtual_code,
            text: text.map(str::to_owned),
            held: Vec::new(),
            shifted: false,
        })
    }

    /// What a character's key means beside others: with Control it types nothing, with Shift it types its upper half.
    fn with(self, held: Vec<Modifier>) -> Self {
        let is_shifted = held.contains(&Modifier::Shift);
        let commands = held.iter().any(|modifier| *modifier != Modifier::Shift);
        let name = match single(&self.name) {
            Some(character) if is_shifted => upper_half(character).to_string(),
            // `Control+A` is how people write the two keys Control and a.
            Some(character) if commands => character.to_lowercase().to_string(),
            _ => self.name,
        };
        let text = match self.text {
            Some(text) if !commands => Some(match single(&text) {
                Some(character) if is_shifted => upper_half(character).to_string(),
                _ => text,
            }),
            _ => None,
        };
        Self {
            name,
            text,
            shifted: self.shifted && !commands,
            held,
            ..self
        }
    }

    /// The key of a modifier itself, with those that are down by then.
    pub fn of_modifier(modifier: Modifier, held: Vec<Modifier>) -> Self {
        Self {
            name: modifier.name().to_owned(),
            code: format!("{}Left", modifier.name()),
            virtual_code: match modifier {
                Modifier::Alt => 18,
                Modifier::Control => 17,
                Modifier::Meta => 91,
                Modifier::Shift => 16,
            },
            text: None,
            held,
            shifted: false,
        }
    }

    /// Its bit in the protocol's `modifiers`; 0 where it is no modifier.
    pub fn own_bit(&self) -> u32 {
        let own = Modifier::ALL
            .into_iter()
            .find(|modifier| modifier.name() == self.name);
        own.map_or(0, Modifier::bit)
    }

    /// The same while these keys are down: what commands types nothing.
    pub fn beside(&self, modifiers: u32) -> Self {
        let commands = modifiers & !Modifier::Shift.bit() != 0;
        Self {
            text: self.text.clone().filter(|_| !commands),
            ..self.clone()
        }
    }

    /// The protocol's `modifiers` of its events.
    pub fn modifiers(&self) -> u32 {
        let shift = u32::from(self.shifted) * Modifier::Shift.bit();
        self.held
            .iter()
            .fold(shift, |bits, modifier| bits | modifier.bit())
    }
}

fn is_function_key(name: &str) -> bool {
    name.strip_prefix('F')
        .is_some_and(|number| number.parse::<u8>().is_ok())
}

fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn upper_half(character: char) -> char {
    let pair = CHARACTERS.into_iter().find(|pair| pair.0 == character);
    pair.map_or(character.to_ascii_uppercase(), |pair| pair.1)
}

/// Code, virtual key code, and whether Shift is held for it.
fn place(character: char) -> (String, u32, bool) {
    if character.is_ascii_alphabetic() {
        let letter = character.to_ascii_uppercase();
        return (
            format!("Key{letter}"),
            u32::from(letter),
            character.is_ascii_uppercase(),
        );
    }
    CHARACTERS
        .into_iter()
        .find(|pair| pair.0 == character || pair.1 == character)
        .map_or((String::new(), 0, false), |(plain, _, code, number)| {
            (code.to_owned(), number, plain != character)
        })
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> (String, String, u32, Option<String>, u32) {
        let key = Key::parse(text).unwrap();
        let modifiers = key.modifiers();
        (key.name, key.code, key.virtual_code, key.text, modifiers)
    }

    fn event(
        name: &str,
        code: &str,
        virtual_code: u32,
        text: Option<&str>,
        modifiers: u32,
    ) -> (String, String, u32, Option<String>, u32) {
        let text = text.map(str::to_owned);
        (name.into(), code.into(), virtual_code, text, modifiers)
    }

    #[test]
    fn a_key_is_what_a_keyboard_sends() {
        for (written, sent) in [
            ("a", event("a", "KeyA", 65, Some("a"), 0)),
            ("A", event("A", "KeyA", 65, Some("A"), 8)),
            ("Shift+a", event("A", "KeyA", 65, Some("A"), 8)),
            ("Control+A", event("a", "KeyA", 65, None, 2)),
            ("Control+Shift+K", event("K", "KeyK", 75, None, 10)),
            ("!", event("!", "Digit1", 49, Some("!"), 8)),
            ("Shift+1", event("!", "Digit1", 49, Some("!"), 8)),
            ("+", event("+", "Equal", 187, Some("+"), 8)),
            ("Control++", event("+", "Equal", 187, None, 2)),
            ("Shift+Tab", event("Tab", "Tab", 9, None, 8)),
            ("Shift+Enter", event("Enter", "Enter", 13, Some("\r"), 8)),
            ("Control", event("Control", "ControlLeft", 17, None, 0)),
            ("F5", event("F5", "F5", 116, None, 0)),
            ("ñ", event("ñ", "", 0, Some("ñ"), 0)),
            ("Space", event(" ", "Space", 32, Some(" "), 0)),
        ] {
            assert_eq!(events(written), sent, "{written}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_hint() {
        for text in ["", "Entrar", "Control+", "Control+Entrar", "Ctrl+A"] {
            assert!(Key::parse(text).unwrap_err().contains("\nhint: "), "{text}");
        }
    }
}
