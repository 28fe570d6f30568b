//! Expectations about what does not stand on the page: the server's answers, the console, JavaScript of the operator's.

use std::time::{Duration, Instant};

use vigia_contract::{data_model::ErrorClass, stored};

use super::{Moment, Robot};
use crate::{
    browser::{Answer, Context, Evaluated, PageError, Response},
    journey::{Code, Console, Status},
    run::{Failure, waiting::Wait},
};

/// How often an expression is asked for: once a frame.
const EXPRESSION_AGAIN: Duration = Duration::from_millis(16);

/// So many answers are named where the one that is meant did not come.
const ANSWERS_NAMED: usize = 5;

impl Robot<'_> {
    pub(super) async fn expect_status(
        &mut self,
        status: &Status,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let from_ms = self.clock.now_ms();
        let (part, is) = match status {
            Status::OfDocument(is) => (None, *is),
            Status::OfRequest { url, is } => {
                let part = stored::fill_in(url, &self.context.stored, str::to_owned);
                (Some(part), *is)
            }
        };
        let met = |context: &Context| match &part {
            Some(part) => {
                answers(context).any(|answer| answer.url.contains(part) && answer.status == Ok(is))
            }
            None => context
                .state()
                .is_some_and(|state| !state.navigating() && state.http_status == Some(is)),
        };
        match self.context.until(deadline, met).await {
            Err(PageError::Late) => {
                let told = match &part {
                    Some(part) => answered_instead(&self.context, part, is),
                    None => self.document_instead(is),
                };
                Err(self.unmet(told, asked))
            }
            answered => {
                self.or_failure(answered, "").await?;
                Ok(Moment::Came(Wait {
                    from_ms,
                    until_ms: self.clock.now_ms(),
                }))
            }
        }
    }

    fn document_instead(&self, is: i64) -> String {
        let Some(state) = self.context.state() else {
            return "there is no document".into();
        };
        match state.http_status {
            Some(status) => format!("`{}` came with HTTP status {status}, not {is}", state.url()),
            None => format!("`{}` came without an HTTP status", state.url()),
        }
    }

    /// It is so at once or never: an error stays in the console.
    pub(super) async fn expect_clean_console(
        &mut self,
        console: &Console,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        // What was written before this answer is known when it is here.
        self.now(deadline).await?;
        let counted: Vec<&String> = self
            .context
            .pages()
            .flat_map(|state| state.console.errors())
            .filter(|error| !console.ignore.iter().any(|part| error.contains(part)))
            .collect();
        match counted.as_slice() {
            [] => Ok(Moment::Was),
            [first, others @ ..] => {
                let more = match others.len() {
                    0 => String::new(),
                    count => format!(" (and {count} more)"),
                };
                let told = format!("the console is not clean: {first}{more}");
                Err(Failure::of_system(ErrorClass::Assertion, told))
            }
        }
    }

    pub(super) async fn expect_expression(
        &mut self,
        code: &Code,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let from_ms = self.clock.now_ms();
        let shown = code.shown();
        let expression = format!(
            "(async () => {{ const value = await (\n{}\n); const isObject = typeof value === 'object' && value; return {{ met: !!value, shown: isObject ? 'an object' : String(value) }}; }})()",
            code.with(&self.context.stored)
        );
        let mut last: Option<String> = None;
        loop {
            let evaluated = self.context.evaluate(expression.clone(), deadline).await;
            let late = format!("the expression `{shown}` did not come to an end");
            let evaluated = match (self.or_failure(evaluated, &late).await, last.clone()) {
                // The time was over in the middle of one more look.
                (Err(failure), Some(told)) if failure.class == ErrorClass::Timeout => {
                    return Err(self.unmet(told, asked));
                }
                (evaluated, _) => evaluated?,
            };
            let told = match evaluated {
                Evaluated::Value(value) if value["met"] == true => {
                    return Ok(match last {
                        Some(_) => Moment::Came(Wait {
                            from_ms,
                            until_ms: self.clock.now_ms(),
                        }),
                        None => Moment::Was,
                    });
                }
                Evaluated::Value(value) => {
                    format!("is `{}`", value["shown"].as_str().unwrap_or_default())
                }
                Evaluated::Threw(error) => format!("threw {error}"),
                Evaluated::NoScript(error) => {
                    let told = format!("the expression `{shown}` is no JavaScript: {error}");
                    return Err(Failure::of_probe(ErrorClass::Config, told));
                }
                Evaluated::Left => "was asked of a page that went elsewhere".into(),
            };
            let told = format!("the expression `{shown}` {told}");
            if Instant::now() >= deadline {
                return Err(self.unmet(told, asked));
            }
            last = Some(told);
            let again = deadline.min(Instant::now() + EXPRESSION_AGAIN);
            match self.context.until(again, |_| false).await {
                Ok(()) | Err(PageError::Late) => {}
                error => self.or_failure(error, "").await?,
            }
        }
    }

    pub(super) fn unmet(&self, message: String, asked: Instant) -> Failure {
        let no = Answer {
            why: Some("unmet".into()),
            message: Some(message),
            ..Answer::default()
        };
        self.refusal(no, asked)
    }
}

fn answers(context: &Context) -> impl Iterator<Item = &Response> {
    context.pages().flat_map(|state| state.responses.answered())
}

fn answered_instead(context: &Context, part: &str, is: i64) -> String {
    let said = |answer: &Response| match &answer.status {
        Ok(status) => format!("HTTP status {status}"),
        Err(error) => error.clone(),
    };
    if let Some(last) = answers(context)
        .filter(|answer| answer.url.contains(part))
        .last()
    {
        return format!("`{}` answered with {}, not {is}", last.url, said(last));
    }
    let mut others: Vec<String> = answers(context)
        .map(|answer| format!("`{}` ({})", answer.url, said(answer)))
        .collect();
    others.dedup();
    let surplus = others.len().saturating_sub(ANSWERS_NAMED);
    let others = &others[surplus..];
    if others.is_empty() {
        format!("nothing was asked of `{part}` in this step, nor of anything else")
    } else {
        format!(
            "nothing was asked of `{part}` in this step; there were {}",
            others.join(", ")
        )
    }
}
