//! The cases: what a page does with its delay, and what the robot is told to do there.

/// What the time is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The server takes its time for a document that is opened.
    Document,
    /// The same behind a redirect, each half the time.
    Redirect,
    /// A document that hands over to another by script before it has loaded, each half the time.
    Handover,
    /// A picture of the document is late.
    Subresource,
    /// A click that brings its result by a timer.
    Timer,
    /// A click that brings its result by a request.
    Fetch,
    /// A click whose listener computes all the time.
    Busy,
    /// A click whose result only a style shows: nothing in the document changes.
    Style,
    /// A timer on a page that changes all the time.
    Restless,
    /// A click on a link to a slow document.
    Link,
    /// A click on a link to a document that shows its result by a request.
    LinkFetch,
    /// A click that enables a second button by a timer, and the second click's timer.
    Twice,
}

/// A kind and its delay.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What the time is spent on.
    pub kind: Kind,
    /// How much of it.
    pub delay_ms: u32,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Document,
        Self::Redirect,
        Self::Handover,
        Self::Subresource,
        Self::Timer,
        Self::Fetch,
        Self::Busy,
        Self::Style,
        Self::Restless,
        Self::Link,
        Self::LinkFetch,
        Self::Twice,
    ];

    /// Its name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Redirect => "redirect",
            Self::Handover => "handover",
            Self::Subresource => "subresource",
            Self::Timer => "timer",
            Self::Fetch => "fetch",
            Self::Busy => "busy",
            Self::Style => "style",
            Self::Restless => "restless",
            Self::Link => "link",
            Self::LinkFetch => "link-fetch",
            Self::Twice => "twice",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the time is that of opening the page, and not of something done on it.
    pub const fn is_opening(self) -> bool {
        matches!(
            self,
            Self::Document | Self::Redirect | Self::Handover | Self::Subresource
        )
    }
}

impl Case {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let delays = |kind| match kind {
            Kind::Document | Kind::Timer | Kind::Fetch | Kind::Link => vec![50, 200, 1000],
            _ => vec![300],
        };
        Kind::ALL
            .into_iter()
            .flat_map(|kind| {
                delays(kind)
                    .into_iter()
                    .map(move |delay_ms| Self { kind, delay_ms })
            })
            .collect()
    }

    /// As it is printed.
    pub fn name(self) -> String {
        format!("{}-{}", self.kind.name(), self.delay_ms)
    }

    /// A journey that measures it so many times.
    pub fn journey(self, repeats: usize) -> String {
        let (kind, delay_ms) = (self.kind.name(), self.delay_ms);
        let mut text = format!(
            "system = \"accuracy\"\nname = \"{}\"\nimpact = \"low\"\nevery = \"1h\"\ntimeout = \"30m\"\naction_timeout = \"10s\"\n[variables]\nsite = \"https://site.example\"\n",
            self.name()
        );
        for number in 0..repeats {
            let open = format!("{{ goto = \"${{site}}/{kind}?delay={delay_ms}&n={number}\" }}");
            let measured = match self.kind {
                kind if kind.is_opening() => open,
                kind => {
                    text += &step(&format!("Abrir {number}"), &open);
                    let result = format!("{{ expect = {{ text = \"Listo {number}.\" }} }}");
                    let click = "{ click = \"#uno\" }";
                    match kind {
                        Kind::Twice => format!("{click}, {{ click = \"#dos\" }}, {result}"),
                        _ => format!("{click}, {result}"),
                    }
                }
            };
            text += &step(&format!("Medir {number}"), &measured);
        }
        text
    }
}

fn step(name: &str, actions: &str) -> String {
    format!("[[step]]\nname = \"{name}\"\nactions = [{actions}]\n")
}
