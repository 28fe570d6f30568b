//! Gives a control a new value: what is done depends on what the page has there.

use std::time::Instant;

use serde_json::json;

use super::{Moment, Robot, tick::Tick};
use crate::{
    journey::{Change, Fill, Select, Type},
    run::Failure,
};

/// A text that is longer is put in at once: nobody types it by hand. As in Puppeteer's `Locator.fill`.
const TYPED_MAX: usize = 100;

impl Robot<'_> {
    pub(super) async fn change(
        &mut self,
        change: &Change,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let (_, control) = self
            .perform("control", &change.field, json!({}), deadline)
            .await?;
        let field = change.field.clone();
        let with = change.to.clone();
        let shown = change.to.shown();
        let moment = match control.value.as_ref().and_then(|kind| kind.as_str()) {
            Some("list") => {
                let select = Select::of_value(field, shown);
                self.select(&select, deadline).await?
            }
            Some("box") => {
                let tick = if shown.is_empty() {
                    Tick::Cleared
                } else {
                    Tick::Set
                };
                self.tick(&field, tick, deadline).await?
            }
            // Of a reference it is the name that is counted: what it stands for is short.
            Some("text") if (1..TYPED_MAX).contains(&shown.chars().count()) => {
                let typing = Type {
                    field: Some(field),
                    with,
                    delay: None,
                    replaces: true,
                };
                self.type_keys(&typing, deadline).await?
            }
            _ => self.fill(&Fill { field, with }, deadline).await?,
        };
        Ok(moment.with_wait(control.waited()))
    }
}
