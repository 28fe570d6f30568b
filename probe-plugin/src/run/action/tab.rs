//! Turns to another tab or window, or closes the one in front.

use std::time::Instant;

use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot};
use crate::{
    browser::{PageError, Scope},
    journey::Tab,
    run::{Failure, still_answers},
};

impl Robot<'_> {
    pub(super) async fn tab(&mut self, tab: &Tab, deadline: Instant) -> Result<Moment, Failure> {
        let input = self.input_now();
        let mut before = self.before(None);
        // Another window has other frames.
        self.context.look_anew();
        match tab {
            Tab::Main => {
                if let Some(oldest) = self.context.oldest().map(str::to_owned) {
                    self.context.bring_to_front(&oldest);
                }
            }
            Tab::Close => self.close_front(deadline).await?,
            Tab::Url(part) => {
                let there = self
                    .context
                    .until(deadline, |context| context.tab_at(part).is_some())
                    .await;
                let there = there.map(|()| self.context.tab_at(part).map(str::to_owned));
                let what = format!("has `{part}` in its address");
                if let Some(found) = self.found_tab(there, &what).await? {
                    self.context.bring_to_front(&found);
                }
            }
            Tab::Target(address) => self.target(address, deadline).await?,
            Tab::Title(part) => {
                let titled = self.context.tab_titled(part, deadline).await;
                let what = format!("has `{part}` in its title");
                let found = self.found_tab(titled, &what).await?;
                self.context.bring_to_front(&found);
            }
        }
        // A document that was there before is not judged again.
        if self
            .context
            .state()
            .is_some_and(|state| state.frames.main().arrived())
        {
            before = self.before(None);
        }
        self.arrive(input, None, &before, "after turning to the tab", deadline)
            .await
    }

    /// A window, or else a frame of the one in front.
    async fn target(&mut self, address: &str, deadline: Instant) -> Result<(), Failure> {
        let scope = Scope {
            address: Some(address.to_owned()),
            path: Vec::new(),
        };
        let there = self
            .context
            .until(deadline, |context| {
                context.tab_exactly_at(address).is_some() || context.shows(&scope)
            })
            .await;
        let window = there.map(|()| self.context.tab_exactly_at(address).map(str::to_owned));
        let what = format!("or frame has the address `{address}`");
        match self.found_tab(window, &what).await? {
            Some(window) => self.context.bring_to_front(&window),
            None => self.context.look_at(Some(scope)),
        }
        Ok(())
    }

    async fn close_front(&mut self, deadline: Instant) -> Result<(), Failure> {
        let Some(front) = self.context.front().map(str::to_owned) else {
            return Ok(());
        };
        if self.context.count_of_tabs() == 1 {
            return Err(Failure::of_system(
                ErrorClass::Assertion,
                "there is only one window: the page opened no other, or it is closed already",
            ));
        }
        self.context.close(&front);
        let closed = self
            .context
            .until(deadline, |context| !context.has_tab(&front))
            .await;
        self.or_failure(closed, "the window did not close").await
    }

    async fn found_tab<T>(&self, found: Result<T, PageError>, what: &str) -> Result<T, Failure> {
        if matches!(found, Err(PageError::Late)) && still_answers(self.context.chromium()).await {
            let there: Vec<String> = self
                .context
                .addresses()
                .map(|address| format!("`{address}`"))
                .collect();
            return Err(Failure::of_system(
                ErrorClass::ElementMissing,
                format!("no window {what}; there are {}", there.join(", ")),
            ));
        }
        self.or_failure(found, "the browser does not answer").await
    }
}
