//! Opens an address.

use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::Page as PageDomain;
use vigia_contract::{
    data_model::ErrorClass,
    secret::{ExposeSecret, Template},
};

use super::{Moment, Robot};
use crate::{
    browser::{CallError, PageError},
    run::{Failure, net_error},
};

/// The browser makes its error pages itself.
const ERROR_PAGE_DEADLINE: Duration = Duration::from_secs(1);

impl Robot<'_> {
    pub(super) async fn goto(
        &mut self,
        address: &Template,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let shown = address.shown();
        let navigate = PageDomain::Navigate {
            url: self.resolve(address)?.expose_secret().to_owned(),
            referrer: None,
            transition_Type: None,
            frame_id: None,
            referrer_policy: None,
        };
        let late = format!("`{shown}` did not answer");
        let before = self.before(None).loader;
        let input = self.input_now();
        let answer = match self.context.call(&navigate, deadline).await {
            Err(PageError::Call(CallError::Refused { message, .. })) => {
                let told = format!("`{shown}` is no address that can be opened: {message}");
                return Err(Failure::of_probe(ErrorClass::Config, told));
            }
            answer => self.or_failure(answer, &late).await?,
        };
        if answer.error_text.as_deref() == Some("net::ERR_ABORTED") {
            if self.context.dialogs.has_answered() {
                // The page asked whether it may be left, and was told to stay.
                return Ok(Moment::Was);
            }
            let loader = answer.loader_id.unwrap_or_default();
            let state = self.context.state();
            let status = state.and_then(|state| state.answered_status(&loader));
            return Err(net_error::no_page(&shown, status));
        }
        if let Some(error) = answer.error_text {
            // The browser's own error page is on its way: it is what the picture of the failure will show.
            let soon = deadline.min(Instant::now() + ERROR_PAGE_DEADLINE);
            let shown_error = self
                .context
                .until(soon, |context| {
                    context.state().is_none_or(|state| {
                        state.load_error.is_some() && state.frames.main().loaded_at_s.is_some()
                    })
                })
                .await;
            match shown_error {
                Ok(()) | Err(PageError::Late) => {}
                error => self.or_failure(error, "").await?,
            }
            return Err(net_error::failure(&shown, self.context.behind(&error)));
        }
        if answer.loader_id.is_none() {
            // Another place of the same document: there is nothing to load.
            return Ok(Moment::Was);
        }
        // The document may hand over to another by script before its own load: the last one counts.
        let loaded = self
            .context
            .until(deadline, |context| {
                context
                    .state()
                    .is_none_or(|state| state.loader() != before && state.frames.main().arrived())
            })
            .await;
        self.or_failure(loaded, &format!("`{shown}` did not finish loading"))
            .await?;
        self.document_is_good()?;
        Ok(input.until(self.moment_of_load(deadline).await?))
    }
}
