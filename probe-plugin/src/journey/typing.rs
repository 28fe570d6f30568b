//! What is typed and pressed on the keyboard.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use vigia_contract::duration;

use super::{Key, Target, Typed};

/// A text that is typed key by key: `"text"`, or a table that says where and how.
#[derive(Clone, Debug)]
pub struct Type {
    /// Behind what this field holds; without one, where the focus is.
    pub field: Option<Target>,
    /// May hold references to secrets and to one-time codes.
    pub with: Typed,
    /// From key to key.
    pub delay: Option<Duration>,
    /// In place of what the field holds, and not behind it.
    pub replaces: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeTable {
    field: Option<Target>,
    with: Typed,
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    #[schemars(with = "Option<duration::Written>")]
    delay: Option<Duration>,
    #[serde(default)]
    replace: bool,
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TypeVisitor)
    }
}

struct TypeVisitor;

impl<'de> Visitor<'de> for TypeVisitor {
    type Value = Type;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, or a table with `field`, `with` and `delay`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Type, E> {
        Ok(Type {
            field: None,
            with: Typed::parse(text).map_err(E::custom)?,
            delay: None,
            replaces: false,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Type, A::Error> {
        let table = TypeTable::deserialize(MapAccessDeserializer::new(map))?;
        if table.replace && table.field.is_none() {
            return Err(A::Error::custom(
                "`replace` says nothing without a `field`\nhint: name the field whose text is to be replaced",
            ));
        }
        Ok(Type {
            field: table.field,
            with: table.with,
            delay: table.delay,
            replaces: table.replace,
        })
    }
}

/// A key that is pressed: `"Enter"`, or a table that says on what.
#[derive(Clone, Debug)]
pub struct Press {
    /// The key, with those that are held down meanwhile.
    pub key: Key,
    /// What gets the focus first; without it, the key goes where the focus is.
    pub on: Option<Target>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PressTable {
    key: Key,
    on: Option<Target>,
}

impl<'de> Deserialize<'de> for Press {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PressVisitor)
    }
}

struct PressVisitor;

impl<'de> Visitor<'de> for PressVisitor {
    type Value = Press;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key, or a table with `key` and `on`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Press, E> {
        let key = Key::parse(text).map_err(E::custom)?;
        Ok(Press { key, on: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Press, A::Error> {
        let table = PressTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Press {
            key: table.key,
            on: table.on,
        })
    }
}
