//! An action as it stands in a list of actions, with the time that it may take where that is not the journey's.

use std::{cell::Cell, fmt, marker::PhantomData, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer,
    },
};
use vigia_contract::duration;

use super::{Action, Dialog};

/// The key beside the one that names the action.
const TIMEOUT: &str = "timeout";

/// `{ click = "text=Enviar" }`, or `{ click = "text=Enviar", timeout = "60s" }`.
#[derive(Clone, Debug)]
pub struct Timed {
    /// What is done.
    pub action: Action,
    /// After this it has failed; nothing: the journey's `action_timeout`.
    pub timeout: Option<Duration>,
}

impl Timed {
    /// The dialog that it answers.
    pub const fn as_dialog(&self) -> Option<&Dialog> {
        match &self.action {
            Action::Dialog(dialog) => Some(dialog),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Timed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimedVisitor)
    }
}

struct TimedVisitor;

impl<'de> Visitor<'de> for TimedVisitor {
    type Value = Timed;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an action, for example { goto = \"https://...\" }")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Timed, E> {
        let action = Action::deserialize(word.into_deserializer())?;
        Ok(Timed {
            action,
            timeout: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Timed, A::Error> {
        let timeout = Cell::new(None);
        let mut others = WithoutTimeout {
            map,
            timeout: &timeout,
        };
        let action = Action::deserialize(MapAccessDeserializer::new(&mut others))?;
        if others.next_key::<String>()?.is_some() {
            return Err(A::Error::custom(
                "one table says two actions\nhint: write each into braces of its own; only `timeout` may stand beside an action",
            ));
        }
        Ok(Timed {
            action,
            timeout: timeout.get(),
        })
    }
}

/// The map without its key `timeout`, wherever that stands: what is left is the action. Keys are handed on inside of the
/// map's own reading, so that an error is told at the key's place.
struct WithoutTimeout<'t, A> {
    map: A,
    timeout: &'t Cell<Option<Duration>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutTimeout<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let mut seed = seed;
        loop {
            match self.map.next_key_seed(Other(seed, PhantomData))? {
                None => return Ok(None),
                Some(Key::Other(key)) => return Ok(Some(key)),
                Some(Key::Timeout(unused)) => {
                    self.timeout.set(Some(self.map.next_value_seed(Within)?));
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

enum Key<S, T> {
    Timeout(S),
    Other(T),
}

struct Other<'de, S>(S, PhantomData<&'de ()>);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Other<'de, S> {
    type Value = Key<S, S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if key == TIMEOUT {
            return Ok(Key::Timeout(self.0));
        }
        self.0.deserialize(key.into_deserializer()).map(Key::Other)
    }
}

/// How long it may take.
struct Within;

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Duration;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Duration, D::Error> {
        duration::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Line {
        action: Timed,
    }

    fn read(action: &str) -> Result<Timed, String> {
        let line: Result<Line, _> = toml::from_str(&format!("action = {action}"));
        line.map(|line| line.action)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn an_action_may_say_how_long_it_may_take() {
        for (action, name, seconds) in [
            ("'back'", "back", None),
            ("{ click = '#a' }", "click", None),
            ("{ click = '#a', timeout = '60s' }", "click", Some(60)),
            ("{ timeout = '1m', wait = '1s' }", "wait", Some(60)),
            ("{ type = 'a', timeout = '2s' }", "type", Some(2)),
        ] {
            let timed = read(action).unwrap();
            assert_eq!(timed.action.name(), name);
            assert_eq!(timed.timeout, seconds.map(Duration::from_secs), "{action}");
        }
    }

    #[test]
    fn a_table_that_is_no_single_action_is_refused_with_a_hint() {
        for action in [
            "{ click = '#a', hover = '#b' }",
            "{ click = '#a', timeout = '0s' }",
        ] {
            let told = read(action).unwrap_err();
            assert!(told.contains("\nhint: "), "{action}: {told}");
        }
        assert!(read("{ click = '#a', timeout = 3 }").is_err());
        assert!(read("{ timeout = '3s' }").is_err());
    }
}
