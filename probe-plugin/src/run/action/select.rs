//! Chooses options of a list.

use std::time::Instant;

use serde_json::json;

use super::{Moment, Robot, in_one_call::Deed};
use crate::{journey::Select, run::Failure};

impl Robot<'_> {
    pub(super) async fn select(
        &mut self,
        select: &Select,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let (by, wanted) = select.options.for_script();
        let about = json!({ "by": by, "wanted": wanted });
        let did = format!("after the choice in `{}`", select.field);
        let before = self.before(None);
        let deed = Deed {
            look: "choice",
            act: "select",
            target: &select.field,
            about: about.clone(),
            text: None,
        };
        let done = self.in_one_call(&deed, deadline).await?;
        // A page may go elsewhere by a choice, as by a click.
        let settled = self.settle(&before, &did, deadline).await?;
        let moment = self
            .arrive(done.input, settled.as_ref(), &before, &did, deadline)
            .await?;
        if done.answer.is_none() || settled.is_none() {
            return Ok(moment);
        }
        let mut request = about;
        request["what"] = "selected".into();
        request["target"] = select.field.for_script();
        let kept = self.lasts(&done.place, &request, deadline).await?;
        Ok(match kept {
            Some(kept) if kept.ready.is_some() => moment.longer(kept.at),
            _ => moment,
        })
    }
}
