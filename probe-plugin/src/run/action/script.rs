//! Runs JavaScript of the operator's in the page's own world.

use std::time::Instant;

use serde_json::Value;
use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot};
use crate::{browser::Evaluated, journey::Script, run::Failure};

impl Robot<'_> {
    /// What it throws is told as the system's failure: it found the page other than it should be.
    pub(super) async fn script(
        &mut self,
        script: &Script,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let input = self.input_now();
        let before = self.before(None);
        let body = script.run.with(&self.context.stored);
        let expression = format!("(async () => {{\n{body}\n}})()");
        let evaluated = self.context.evaluate(expression, deadline).await;
        let late = "the script did not come to an end";
        let of_page = |error: String| Err(Failure::of_system(ErrorClass::Script, error));
        let value = match self.or_failure(evaluated, late).await? {
            Evaluated::Value(value) => value,
            Evaluated::Threw(error) => return of_page(format!("the script threw {error}")),
            Evaluated::NoScript(error) => {
                let told = format!("the script is no JavaScript: {error}");
                return Err(Failure::of_probe(ErrorClass::Config, told));
            }
            Evaluated::Left => Value::Null,
        };
        if let Some(name) = &script.r#as {
            let text = match value {
                Value::Null => {
                    return of_page(format!("the script returned nothing to store as `{name}`"));
                }
                Value::String(text) => text,
                other => other.to_string(),
            };
            self.context.stored.insert(name.clone(), text);
        }
        let did = "after the script";
        let settled = self.settle(&before, did, deadline).await?;
        self.arrive(input, settled.as_ref(), &before, did, deadline)
            .await
    }
}
