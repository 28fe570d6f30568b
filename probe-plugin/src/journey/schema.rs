//! The JSON Schema of journeys' files and fragments, from the types that read them: editors complete and mark mistakes by it.
//!
//! What is read by hand (a text that is parsed, a short form beside a table) says its forms here; all else is derived.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;
use vigia_contract::duration;

use super::{
    Action, Click, Code, Console, Dialog, Every, FramePath, Hover, Key, Press, Proxy, Screenshot,
    Script, Scroll, Select, Selector, ShownText, Status, Target, Timed, Type, Typed, Upload,
    dialog::{Answer, DialogTable},
    emulation::{CpuSlowdown, Geolocation, GeolocationTable, Locale, TimeZoneName, UserAgent},
    expectation::{Comparison, ComparisonTable, ConsoleTable, StatusTable, TextTable},
    file::{Attempts, JourneyFile, Name},
    fragment::FragmentFile,
    mouse::{ClickTable, HoverTable, ScrollTable},
    network::Addresses,
    proxy::ProxyTable,
    retry::ATTEMPTS_MAX,
    screenshot::ScreenshotTable,
    select::SelectTable,
    several::Several,
    store::ScriptTable,
    typing::{PressTable, TypeTable},
    upload::UploadTable,
};

/// What can be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A journey's file.
    Journey,
    /// Actions that several journeys share.
    Fragment,
}

/// The schema as JSON.
pub fn schema(of: Kind) -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let (mut schema, title) = match of {
        Kind::Journey => (generator.into_root_schema_for::<JourneyFile>(), "Journey"),
        Kind::Fragment => (
            generator.into_root_schema_for::<FragmentFile>(),
            "Shared actions",
        ),
    };
    schema.insert("title".into(), title.into());
    schema.into()
}

/// One of several ways of writing the same.
macro_rules! written {
    ($type:ident, $about:literal, $generator:ident => [$($form:expr),+ $(,)?]) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                any_of($about, &[$($form),+])
            }
        }
    };
}

/// A text that is parsed.
macro_rules! text {
    ($type:ident, $about:literal, $example:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $about, "examples": [$example] })
            }
        }
    };
}

fn any_of(about: &str, forms: &[Schema]) -> Schema {
    json_schema!({ "description": about, "anyOf": forms })
}

fn words(words: &[&str]) -> Schema {
    json_schema!({ "type": "string", "enum": words })
}

text!(
    Selector,
    "A selector: `label=Usuario`, `role=button[name='Ingresar']`, `text=Ver detalle`, or CSS; ` >> ` looks within.",
    "role=button[name='Ingresar']"
);
text!(
    Typed,
    "A text; may hold `${name}`, `${secret:NAME}`, `${stored:NAME}` and `${totp:NAME}`.",
    "${secret:TRAMITES_CLAVE}"
);
text!(
    Key,
    "A key by its name, or a single character; with others held down: `Control+A`.",
    "Enter"
);
text!(
    Code,
    "JavaScript; `${stored:NAME}` is a text of it.",
    "return location.pathname"
);
text!(
    Addresses,
    "What addresses begin with.",
    "https://tramites.example/"
);
text!(
    Name,
    "Lower-case letters, digits and hyphens: it is part of points and addresses.",
    "consultar-tramite"
);
text!(Locale, "Language and country.", "es-UY");
text!(
    TimeZoneName,
    "A name of the IANA database.",
    "America/Montevideo"
);
text!(UserAgent, "Who the browser says that it is.", "Mozilla/5.0");

written!(Every, "From start to start; once a second at most.", generator => [
    generator.subschema_for::<duration::Written>(),
]);
written!(Target, "One selector, or several that are tried together, the one that is meant first.", generator => [
    generator.subschema_for::<Selector>(),
    json_schema!({ "type": "array", "items": generator.subschema_for::<Selector>(), "minItems": 1 }),
]);
written!(Click, "What is clicked, or a table with options.", generator => [
    generator.subschema_for::<Target>(),
    generator.subschema_for::<ClickTable>(),
]);
written!(Hover, "What the mouse is brought to, or a table with options.", generator => [
    generator.subschema_for::<Target>(),
    generator.subschema_for::<HoverTable>(),
]);
written!(Scroll, "One of `to`, `by`, `until` and `at`; `in` goes with all but `to`.", generator => [
    generator.subschema_for::<ScrollTable>(),
]);
written!(Type, "A text for where the focus is, or a table that says where and how.", generator => [
    generator.subschema_for::<Typed>(),
    generator.subschema_for::<TypeTable>(),
]);
written!(Press, "A key for where the focus is, or a table that says on what.", generator => [
    generator.subschema_for::<Key>(),
    generator.subschema_for::<PressTable>(),
]);
written!(Select, "A list, and what is chosen in it: one of `option`, `value` and `index`.", generator => [
    generator.subschema_for::<SelectTable>(),
]);
written!(Upload, "Files, and where they go: `field` or `onto`.", generator => [
    generator.subschema_for::<UploadTable>(),
]);
written!(Dialog, "What a dialog is answered, or a table that also says what it must say and what is typed.", generator => [
    generator.subschema_for::<Answer>(),
    generator.subschema_for::<DialogTable>(),
]);
written!(FramePath, "The page itself, all frames, or one by its place.", _generator => [
    words(&["main", "any"]),
    json_schema!({
        "type": "object",
        "properties": { "path": { "type": "array", "items": { "type": "integer", "minimum": 0 } } },
        "required": ["path"],
        "additionalProperties": false,
    }),
]);
written!(Comparison, "The whole text, or one of `is`, `contains` and `matches`.", generator => [
    json_schema!({ "type": "string" }),
    generator.subschema_for::<ComparisonTable>(),
]);
written!(ShownText, "A text that the page shows anywhere, or what an element shows.", generator => [
    json_schema!({ "type": "string" }),
    generator.subschema_for::<TextTable>(),
]);
written!(Status, "The status of the document, or of a request since the step began.", generator => [
    json_schema!({ "type": "integer", "minimum": 100, "maximum": 599 }),
    generator.subschema_for::<StatusTable>(),
]);
written!(Console, "No error in the console, but for those that are named.", generator => [
    words(&["clean"]),
    generator.subschema_for::<ConsoleTable>(),
]);
written!(Screenshot, "The name of a picture (lower-case letters, digits and hyphens), or a table that also says how much of the page is in it.", generator => [
    json_schema!({ "type": "string" }),
    generator.subschema_for::<ScreenshotTable>(),
]);
written!(Script, "JavaScript, or a table that also says under which name its value is kept.", generator => [
    generator.subschema_for::<Code>(),
    generator.subschema_for::<ScriptTable>(),
]);
written!(Geolocation, "Where the user is, in degrees, and metres of accuracy.", generator => [
    generator.subschema_for::<GeolocationTable>(),
]);
written!(Proxy, "What requests go through.", generator => [
    generator.subschema_for::<ProxyTable>(),
]);
written!(CpuSlowdown, "How many times slower; 1 is as fast as it is.", _generator => [
    json_schema!({ "type": "number", "minimum": 1, "maximum": 100 }),
]);
written!(Attempts, "How often a run that fails is tried.", _generator => [
    json_schema!({ "type": "integer", "minimum": 1, "maximum": ATTEMPTS_MAX }),
]);

impl<T: JsonSchema> JsonSchema for Several<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Several{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        let list = json_schema!({ "type": "array", "items": one, "minItems": 1 });
        any_of("One, or several.", &[one, list])
    }
}

/// An action's table may say `timeout` beside the action.
impl JsonSchema for Timed {
    fn schema_name() -> Cow<'static, str> {
        "TimedAction".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let timeout = generator.subschema_for::<duration::Written>();
        let mut schema = Action::json_schema(generator);
        let forms = schema.get_mut("oneOf").and_then(Value::as_array_mut);
        for form in forms.into_iter().flatten() {
            if let Some(keys) = form.get_mut("properties").and_then(Value::as_object_mut) {
                keys.insert("timeout".into(), timeout.clone().into());
            }
        }
        schema
    }
}
