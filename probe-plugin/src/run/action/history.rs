//! Goes back and forward, and loads a page anew, as the browser's buttons do.

use std::time::Instant;

use headless_chrome::protocol::cdp::Page as PageDomain;
use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot, UserInput};
use crate::run::Failure;

/// A way through the pages that were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the page before this one.
    Back,
    /// To the page that was left by going back.
    Forward,
}

impl Robot<'_> {
    pub(super) async fn travel(&mut self, way: Way, deadline: Instant) -> Result<Moment, Failure> {
        let (did, direction) = match way {
            Way::Back => ("after going back", "back"),
            Way::Forward => ("after going forward", "forward"),
        };
        let late = "the page does not respond";
        let history = PageDomain::GetNavigationHistory(None);
        let history = self.context.call(&history, deadline).await;
        let history = self.or_failure(history, late).await?;
        let current = usize::try_from(history.current_index).unwrap_or(0);
        let entry = match way {
            Way::Back => current.checked_sub(1),
            Way::Forward => current.checked_add(1),
        };
        // The blank page that a journey begins on is no page to a user.
        let entry = entry
            .and_then(|index| history.entries.get(index))
            .filter(|entry| way == Way::Forward || entry.url != "about:blank");
        let Some(entry) = entry else {
            return Err(Failure::of_system(
                ErrorClass::Assertion,
                format!("there is no page to go {direction} to"),
            ));
        };
        let input = self.input_now();
        let before = self.arrivals();
        let go = PageDomain::NavigateToHistoryEntry { entry_id: entry.id };
        let gone = self.context.call(&go, deadline).await;
        self.or_failure(gone, late).await?;
        self.come_to(input, before, did, deadline).await
    }

    pub(super) async fn reload(&mut self, deadline: Instant) -> Result<Moment, Failure> {
        let input = self.input_now();
        let before = self.arrivals();
        let reload = PageDomain::Reload {
            ignore_cache: None,
            script_to_evaluate_on_load: None,
            loader_id: None,
        };
        let reloaded = self.context.call(&reload, deadline).await;
        self.or_failure(reloaded, "the page does not respond")
            .await?;
        self.come_to(input, before, "after the reload", deadline)
            .await
    }

    /// How many times the tab in front has come somewhere, and the document that it shows.
    fn arrivals(&self) -> (u64, String) {
        let state = self.context.state();
        state.map_or_else(Default::default, |state| {
            let main = state.frames.main();
            (main.arrivals, main.loader.clone())
        })
    }

    /// Waits until the tab in front has come to where it was sent: to another document, to another place of this one, or
    /// nowhere, where the way led to no page.
    async fn come_to(
        &mut self,
        input: UserInput,
        (arrivals, document): (u64, String),
        did: &str,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let came = self
            .context
            .until(deadline, |context| {
                context.state().is_none_or(|state| {
                    let main = state.frames.main();
                    main.arrivals > arrivals && main.arrived()
                })
            })
            .await;
        self.or_failure(came, &format!("{did} the page did not arrive"))
            .await?;
        if self.arrivals().1 == document {
            return Ok(input.until(self.now(deadline).await?));
        }
        self.document_is_good()?;
        Ok(input.until(self.moment_of_load(deadline).await?))
    }
}
