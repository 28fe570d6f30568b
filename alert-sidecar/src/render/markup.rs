//! How services write what stands out, and how a text is kept from meaning anything there.
//!
//! What `{{ }}` prints into a chat's markup is escaped as that markup asks, and tamed before: it mentions nobody, and no
//! address in it becomes a link that somebody could be led away by. Only a template's own `link(address, label)` links.

use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value};

/// The markups of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// None.
    Plain,
    /// A page, for mail.
    Html,
    /// Slack's own (`mrkdwn`).
    Slack,
    /// The few tags of HTML that Telegram knows.
    Telegram,
    /// Markdown that takes a backslash before every sign: Discord, Teams, Mattermost.
    Markdown,
    /// The tags of HTML that Matrix recommends.
    Matrix,
    /// Markdown in which no sign can be escaped: Rocket.Chat, Zulip.
    BareMarkdown,
    /// Google Chat's own.
    GoogleChat,
}

impl Markup {
    /// Every markup.
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Html,
        Self::Slack,
        Self::Telegram,
        Self::Markdown,
        Self::Matrix,
        Self::BareMarkdown,
        Self::GoogleChat,
    ];

    /// The name of its template.
    #[must_use]
    pub const fn template(self) -> &'static str {
        match self {
            Self::Plain => "message.txt",
            Self::Html => "message.html",
            Self::Slack => "message.slack",
            Self::Telegram => "message.telegram",
            Self::Markdown => "message.markdown",
            Self::Matrix => "message.matrix",
            Self::BareMarkdown => "message.bare_markdown",
            Self::GoogleChat => "message.google_chat",
        }
    }

    /// The template as it is shipped.
    #[must_use]
    pub const fn shipped(self) -> &'static str {
        match self {
            Self::Plain => include_str!("templates/message.txt"),
            Self::Html => include_str!("templates/message.html"),
            Self::Slack => include_str!("templates/message.slack"),
            Self::Telegram => include_str!("templates/message.telegram"),
            Self::Markdown => include_str!("templates/message.markdown"),
            Self::Matrix => include_str!("templates/message.matrix"),
            Self::BareMarkdown => include_str!("templates/message.bare_markdown"),
            Self::GoogleChat => include_str!("templates/message.google_chat"),
        }
    }

    fn of_template(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|markup| markup.template() == name)
            .unwrap_or(Self::Plain)
    }

    /// The text as this markup shows it letter by letter.
    #[must_use]
    pub fn escape(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Html => html(text),
            Self::Slack => slack(&tame(text)),
            Self::BareMarkdown => bare_markdown(&tame(text)),
            Self::GoogleChat => google_chat(&tame(text)),
            Self::Telegram | Self::Matrix => html(&tame(text)),
            Self::Markdown => markdown(&tame(text)),
        }
    }

    /// A link. An address that no browser would open is shown and leads nowhere.
    #[must_use]
    pub fn link(self, address: &str, label: &str) -> String {
        let shown = self.escape(label);
        let Some(address) = target(address) else {
            return shown;
        };
        // Whoever is named in it is not called.
        let address = address.replace('@', "%40");
        match self {
            Self::Plain => format!("{shown}: {address}"),
            Self::Html | Self::Telegram | Self::Matrix => {
                format!("<a href=\"{}\">{shown}</a>", html(&address))
            }
            // A bar would end the address.
            Self::GoogleChat => format!("<{}|{shown}>", address.replace('|', "%7C")),
            Self::Slack => format!("<{}|{shown}>", slack_signs(&address.replace('|', "%7C"))),
            Self::Markdown | Self::BareMarkdown => {
                let address = address.replace('(', "%28").replace(')', "%29");
                format!("[{shown}]({address})")
            }
        }
    }
}

/// How much a service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// As much as there is.
    Unlimited,
    /// So many letters; one outside the most usual ones counts as two, as several services count.
    Letters(usize),
    /// So many bytes of UTF-8.
    Bytes(usize),
}

impl Room {
    /// Whether there is room for the text.
    #[must_use]
    pub fn takes(self, text: &str) -> bool {
        match self {
            Self::Unlimited => true,
            Self::Letters(most) => text.encode_utf16().count() <= most,
            Self::Bytes(most) => text.len() <= most,
        }
    }
}

/// The text, cut after a word where it is longer than so many characters; an ellipsis says so.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let end = kept
        .rfind(char::is_whitespace)
        // A word that takes half of the room is cut itself.
        .filter(|end| *end > kept.len() / 2)
        .unwrap_or(kept.len());
    format!("{}…", kept[..end].trim_end())
}

pub(super) fn auto_escape(template: &str) -> AutoEscape {
    match Markup::of_template(template) {
        Markup::Plain => AutoEscape::None,
        markup => AutoEscape::Custom(markup.template().into()),
    }
}

/// Prints a value as the template's markup shows it.
pub(super) fn print(
    output: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let AutoEscape::Custom(template) = state.auto_escape() else {
        return minijinja::escape_formatter(output, state, value);
    };
    // A number, and what else is no text, is printed as it is written.
    let text = value.to_string();
    let escaped = if value.is_safe() {
        text
    } else {
        Markup::of_template(template).escape(&text)
    };
    output.write_str(&escaped).map_err(Error::from)
}

/// `link(address, label)` in a template.
pub(super) fn link(state: &State<'_, '_>, address: &str, label: &str) -> Result<Value, Error> {
    let markup = match state.auto_escape() {
        AutoEscape::Custom(template) => Markup::of_template(template),
        AutoEscape::None => Markup::Plain,
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "no links are known here",
            ));
        }
    };
    Ok(Value::from_safe_string(markup.link(address, label)))
}

/// The address as a browser would have it, where it is one of the web.
fn target(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

/// Shown, and nothing more; takes no room, and ends a name and an address for every service that looks for them.
const NOTHING: char = '\u{200B}';

/// Keeps a text from mentioning somebody and from holding what services make links of without being asked.
fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        tamed.push(letter);
        let next = letters.peek().copied().unwrap_or(' ');
        let is_loose = match letter {
            '@' | '#' => !next.is_whitespace(),
            ':' => next == '/' || next.is_alphabetic(),
            ']' => next == '(',
            // What could be the name of a host; a number is none.
            '.' => before.is_alphanumeric() && next.is_alphabetic(),
            _ => false,
        };
        if is_loose {
            tamed.push(NOTHING);
        }
        before = letter;
    }
    tamed
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// <https://docs.slack.dev/messaging/formatting-message-text>: three signs have an escape. The others have none, so one that
/// looks like it takes its place.
fn slack(text: &str) -> String {
    slack_signs(&look_alikes(text))
}

/// Signs that mean something, and that cannot be escaped, as signs that look like them.
fn look_alikes(text: &str) -> String {
    let look_alike = |letter| match letter {
        '*' => '∗',
        '_' => 'ˍ',
        '~' => '∼',
        '`' => 'ˋ',
        _ => letter,
    };
    text.chars().map(look_alike).collect()
}

/// A bracket would end the label of a link; Zulip sets formulas between dollars.
fn bare_markdown(text: &str) -> String {
    let text = look_alikes(text).replace('$', "＄");
    text.replace('[', "［").replace(']', "］")
}

/// A mention or a link stands between angle brackets there.
fn google_chat(text: &str) -> String {
    look_alikes(text).replace('<', "‹").replace('>', "›")
}

fn slack_signs(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A backslash before every sign that has a meaning somewhere.
fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if matches!(
            letter,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '('
                | ')'
                | '#'
                | '+'
                | '-'
                | '!'
                | '|'
                | '<'
                | '>'
                | '~'
        ) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_says_is_shown_and_means_nothing() {
        for (markup, text, expected) in [
            (
                Markup::Slack,
                "<!everyone> & *b*",
                "&lt;!everyone&gt; &amp; ∗b∗",
            ),
            (
                Markup::Telegram,
                "<b>\"a\"</b>",
                "&lt;b&gt;&quot;a&quot;&lt;/b&gt;",
            ),
            (
                Markup::Markdown,
                "**a** [x](y)",
                "\\*\\*a\\*\\* \\[x\\]\u{200B}\\(y\\)",
            ),
            (Markup::Markdown, "@everyone", "@\u{200B}everyone"),
            (
                Markup::BareMarkdown,
                "@**all** [x](y)",
                "@\u{200B}∗∗all∗∗ ［x］\u{200B}(y)",
            ),
            (Markup::GoogleChat, "<users/all> *b*", "‹users/all› ∗b∗"),
            (
                Markup::Telegram,
                "https://evil.example/x",
                "https:\u{200B}//evil.\u{200B}example/x",
            ),
            (Markup::Telegram, "5.0 s; 10:32", "5.0 s; 10:32"),
            (Markup::Plain, "@everyone", "@everyone"),
        ] {
            assert_eq!(markup.escape(text), expected);
        }
    }

    #[test]
    fn a_link_goes_where_it_says_and_only_to_the_web() {
        for (markup, expected) in [
            (Markup::Plain, "a|b: https://x.example/(1)?a=%22&b"),
            (Markup::Slack, "<https://x.example/(1)?a=%22&amp;b|a|b>"),
            (
                Markup::Telegram,
                "<a href=\"https://x.example/(1)?a=%22&amp;b\">a|b</a>",
            ),
            (
                Markup::Markdown,
                "[a\\|b](https://x.example/%281%29?a=%22&b)",
            ),
            (
                Markup::BareMarkdown,
                "[a|b](https://x.example/%281%29?a=%22&b)",
            ),
            (Markup::GoogleChat, "<https://x.example/(1)?a=%22&b|a|b>"),
        ] {
            assert_eq!(markup.link("https://x.example/(1)?a=\"&b", "a|b"), expected);
        }
        assert_eq!(Markup::Telegram.link("javascript:alert(1)", "a"), "a");
    }

    #[test]
    fn a_text_is_cut_after_a_word() {
        assert_eq!(cut("uno dos tres", 12), "uno dos tres");
        assert_eq!(cut("uno dos tres", 10), "uno dos…");
        assert_eq!(cut("aaaaaaaaaaaa", 5), "aaaa…");
    }
}
