//! How texts that are read by hand are described to editors: the JSON Schema of what both programs' files share.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{duration, secret::Template};

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A text; may hold `${name}`, `${secret:NAME}` and `${stored:NAME}`.",
        })
    }
}

impl JsonSchema for duration::Written {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration with its unit.",
            "examples": ["250ms", "30s", "1m", "1h 30m"],
            "pattern": "^[0-9P]",
        })
    }
}
