//! Which frame of a page the robot looks at, as the operator writes it. Without a word about it, it looks at all of them.

use serde::Deserialize;

use super::short_form::{self, Short};

/// Where a frame stands, counted inside the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FramePath {
    /// All of them again.
    Any,
    /// The first number is its place among the frames of the page, the next one among the frames of that one, and so on;
    /// each counts from 0. Without a number it is the page itself.
    Inside(Vec<usize>),
}

impl<'de> Deserialize<'de> for FramePath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            path: Vec<usize>,
        }
        short_form::read(
            deserializer,
            "\"main\", \"any\", or a table with `path`",
            |short| {
                match short {
                Short::Text("main") => Ok(Self::Inside(Vec::new())),
                Short::Text("any") => Ok(Self::Any),
                Short::Text(_) | Short::Number(_) => Err(
                    "a frame is named by its place\nhint: write \"main\" for the page itself, \"any\" for all frames, or { path = [0] } for the first frame in it".into(),
                ),
            }
            },
            |Table { path }| Ok(Self::Inside(path)),
        )
    }
}
