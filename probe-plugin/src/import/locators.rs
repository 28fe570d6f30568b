//! Selenium's locators as selectors of a journey.

use super::{
    naming::{in_words, is_generated},
    side::Command,
};

/// A locator, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    kind: Kind,
    value: String,
    /// How the IDE came to it: `xpath:position`.
    recorded_as: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Id,
    Name,
    Link,
    PartialLink,
    Css,
    XPath,
}

/// More stand-ins than these only make a line long.
const SELECTORS_MAX: usize = 3;

impl Locator {
    /// `id=usuario`, `//a[2]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("//") || text.starts_with("(/") {
            return Ok(Self::new(Kind::XPath, text));
        }
        let (kind, value) = text.split_once('=').unwrap_or((text, ""));
        if value.is_empty() {
            return Err(format!("`{text}` is no locator"));
        }
        let kind = match kind {
            "id" | "identifier" => Kind::Id,
            "name" => Kind::Name,
            "link" | "linkText" => Kind::Link,
            "partialLinkText" => Kind::PartialLink,
            "css" => Kind::Css,
            "xpath" => Kind::XPath,
            _ => return Err(format!("no journey knows locators by `{kind}`")),
        };
        Ok(Self::new(kind, value))
    }

    fn new(kind: Kind, value: &str) -> Self {
        Self {
            kind,
            value: value.to_owned(),
            recorded_as: String::new(),
        }
    }

    /// As a journey writes it.
    fn selector(&self) -> String {
        let value = self.value.trim();
        match self.kind {
            Kind::Id if is_identifier(value) => format!("#{value}"),
            Kind::Id => format!("[id='{}']", escaped(value)),
            Kind::Name => format!("[name='{}']", escaped(value)),
            Kind::Link => format!("role=link[name='{}']", escaped(value)),
            Kind::PartialLink => format!("role=link[name*='{}']", escaped(value)),
            Kind::Css if is_taken_for_another_kind(value) => format!("css={value}"),
            Kind::Css => value.to_owned(),
            Kind::XPath => self.seen().map_or_else(
                || format!("xpath={value}"),
                |(role, text)| format!("role={role}[name*='{}']", escaped(&text)),
            ),
        }
    }

    /// The same where nothing may stand in for it: exactly what Selenium looks for.
    pub fn exactly(&self) -> String {
        match self.kind {
            Kind::Link if !self.value.contains('\'') => {
                format!("xpath=//a[normalize-space()='{}']", self.value.trim())
            }
            Kind::PartialLink if !self.value.contains('\'') => {
                format!("xpath=//a[contains(., '{}')]", self.value.trim())
            }
            Kind::XPath => format!("xpath={}", self.value.trim()),
            _ => self.selector(),
        }
    }

    /// The first element in the page's own JavaScript, or nothing.
    pub fn in_script(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        match self.kind {
            Kind::Id => format!("document.getElementById({})", text(&self.value)),
            Kind::Name => format!("document.getElementsByName({})[0]", text(&self.value)),
            Kind::Css => format!("document.querySelector({})", text(&self.value)),
            Kind::Link | Kind::PartialLink | Kind::XPath => {
                let path = self.exactly();
                let path = path.strip_prefix("xpath=").unwrap_or(&path);
                format!(
                    "document.evaluate({}, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue",
                    text(path)
                )
            }
        }
    }

    /// How many elements, in the page's own JavaScript.
    pub fn count_in_script(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        match self.kind {
            Kind::Css => format!("document.querySelectorAll({}).length", text(&self.value)),
            Kind::Id | Kind::Name => {
                format!(
                    "document.querySelectorAll({}).length",
                    text(&self.selector())
                )
            }
            Kind::Link | Kind::PartialLink | Kind::XPath => {
                let path = self.exactly();
                let path = path.strip_prefix("xpath=").unwrap_or(&path);
                format!(
                    "document.evaluate({}, document, null, XPathResult.NUMBER_TYPE, null).numberValue",
                    text(&format!("count({path})"))
                )
            }
        }
    }

    /// Only one element can be meant, or the locator says which.
    fn is_unique(&self) -> bool {
        match self.kind {
            Kind::Css => {
                let last = self.value.trim();
                last.strip_prefix('#').is_some_and(is_identifier)
            }
            Kind::XPath => self.value.contains("[@id=") || self.value.starts_with('('),
            Kind::Id | Kind::Name | Kind::Link | Kind::PartialLink => true,
        }
    }

    /// What a recorded path says of a link or a button: its role, and a part of its text.
    fn seen(&self) -> Option<(&'static str, String)> {
        if self.kind != Kind::XPath
            || !matches!(self.recorded_as.as_str(), "xpath:link" | "xpath:innerText")
        {
            return None;
        }
        let (tag, text) = self.tag_and_text()?;
        match tag {
            "a" => Some(("link", text)),
            "button" => Some(("button", text)),
            _ => None,
        }
    }

    /// `//button[contains(., 'Ingresar')]`: the tag and the text.
    fn tag_and_text(&self) -> Option<(&str, String)> {
        let path = self.value.trim().strip_prefix("//")?;
        let (tag, condition) = path.split_once('[')?;
        let condition = condition.strip_suffix(']')?;
        let text = [
            "contains(.,",
            "contains(text(),",
            "text()=",
            "normalize-space()=",
            "normalize-space(.)=",
            ".=",
        ]
        .iter()
        .find_map(|begin| condition.strip_prefix(begin))?;
        let text = text.trim().trim_end_matches(')').trim();
        let quote = text
            .chars()
            .next()
            .filter(|quote| matches!(quote, '\'' | '"'))?;
        let inner = text[1..].strip_suffix(quote)?;
        (!inner.contains(quote) && !inner.trim().is_empty()).then(|| (tag, inner.trim().to_owned()))
    }

    /// The smaller, the longer it will find its element: what users read, what programmers named, where it stands.
    fn rank(&self) -> u8 {
        match self.kind {
            Kind::Link | Kind::PartialLink => 0,
            Kind::XPath if self.seen().is_some() => 0,
            Kind::Id if !is_generated(&self.value) => 1,
            Kind::Name => 2,
            Kind::Css if self.recorded_as == "css:data-attr" || self.value.starts_with('[') => 3,
            Kind::Css => 4,
            Kind::Id => 5,
            Kind::XPath => match self.recorded_as.as_str() {
                "xpath:attributes" => 6,
                "xpath:href" | "xpath:link" | "xpath:innerText" | "xpath:img" => 7,
                "xpath:position" => 9,
                _ => 8,
            },
        }
    }

    /// What a person would call what this finds.
    fn label(&self) -> Option<String> {
        match self.kind {
            Kind::Link | Kind::PartialLink => Some(self.value.trim().to_owned()),
            Kind::XPath => self.tag_and_text().map(|(_, text)| text),
            Kind::Id | Kind::Name if !is_generated(&self.value) => in_words(&self.value),
            Kind::Css => {
                let id = self.value.trim().strip_prefix('#')?;
                is_identifier(id).then(|| in_words(id)).flatten()
            }
            Kind::Id | Kind::Name => None,
        }
    }
}

/// All that is known of a command's element, the best first. Never empty.
#[derive(Clone, Debug)]
pub struct Element {
    /// The one that the project plays.
    pub chosen: Locator,
    locators: Vec<Locator>,
}

impl Element {
    /// By the locator of a command and those that were recorded with it, which `fill` fills in.
    pub fn of(
        command: &Command,
        mut fill: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<Self, String> {
        let mut element = Self::by(&fill(&command.target)?)?;
        // Somebody who wrote another locator over the recorded one did not mean those any more.
        let recorded = command
            .targets
            .iter()
            .find(|(text, _)| *text == command.target);
        if let Some((_, kind)) = recorded {
            element.chosen.recorded_as.clone_from(kind);
            let others = command
                .targets
                .iter()
                .filter(|(text, _)| *text != command.target);
            element.locators = vec![element.chosen.clone()];
            for (text, kind) in others {
                // A kind that is not known here is one stand-in less.
                if let Ok(mut locator) = fill(text).and_then(|text| Locator::parse(&text)) {
                    locator.recorded_as.clone_from(kind);
                    element.locators.push(locator);
                }
            }
            element.locators.sort_by_key(Locator::rank);
        }
        Ok(element)
    }

    /// By a locator alone.
    pub fn by(locator: &str) -> Result<Self, String> {
        let chosen = Locator::parse(locator)?;
        Ok(Self {
            locators: vec![chosen.clone()],
            chosen,
        })
    }

    /// The selectors, each finding the element in a way of its own.
    pub fn selectors(&self) -> Vec<String> {
        let mut selectors: Vec<String> = Vec::new();
        for locator in &self.locators {
            let selector = plain(&locator.selector());
            let position = locator.rank() >= 8 && !selectors.is_empty();
            // The whole name is known where a part of it is.
            let whole = selector.replacen("[name*=", "[name=", 1);
            let known = selectors.contains(&selector) || selectors.contains(&whole);
            if !known && !position && selectors.len() < SELECTORS_MAX {
                selectors.push(selector);
            }
        }
        if let ([only], [locator, ..]) = (selectors.as_mut_slice(), self.locators.as_slice())
            && !locator.is_unique()
            && locator.seen().is_none()
        {
            // Selenium takes the first of several, a journey wants to be told.
            only.push_str(" >> first");
        }
        selectors
    }

    /// What a person would call it.
    pub fn label(&self) -> Option<String> {
        self.locators.iter().find_map(Locator::label)
    }

    /// The project plays both by the same locator.
    pub fn same_as(&self, other: &Self) -> bool {
        self.chosen == other.chosen
    }

    /// It is an option of a list.
    pub fn is_option(&self) -> bool {
        let value = self.chosen.value.to_lowercase();
        let last = value.rsplit(['/', '>', ' ']).next().unwrap_or_default();
        matches!(self.chosen.kind, Kind::Css | Kind::XPath)
            && last
                .strip_prefix("option")
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '[', '.']))
    }
}

/// The same selector in the way that people write it: `xpath=//input[@id='a']` is `#a`.
fn plain(selector: &str) -> String {
    let attribute = |name: &str| {
        let path = selector.strip_prefix("xpath=//")?;
        let (tag, condition) = path.split_once('[')?;
        let value = condition.strip_prefix(name)?.strip_suffix("']")?;
        let simple =
            tag.chars().all(|letter| letter.is_ascii_alphanumeric()) && !value.contains('\'');
        simple.then_some(value)
    };
    match (attribute("@id='"), attribute("@name='")) {
        (Some(id), _) => Locator::new(Kind::Id, id).selector(),
        (_, Some(name)) => Locator::new(Kind::Name, name).selector(),
        _ => selector.to_owned(),
    }
}

/// What CSS takes for a name without a backslash.
fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'))
}

/// CSS that would be read as `kind=value`, or as a pick.
fn is_taken_for_another_kind(css: &str) -> bool {
    let kind = css.split_once('=').map(|(kind, _)| kind);
    kind.is_some_and(|kind| kind.chars().all(|letter| letter.is_ascii_lowercase()))
        || matches!(css, "first" | "last")
}

/// For what stands between single quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selectors(target: &str, targets: &[(&str, &str)]) -> Vec<String> {
        let targets = targets
            .iter()
            .map(|(text, kind)| ((*text).to_owned(), (*kind).to_owned()))
            .collect();
        let command = Command {
            target: target.into(),
            targets,
            ..Command::default()
        };
        Element::of(&command, |text| Ok(text.to_owned()))
            .unwrap()
            .selectors()
    }

    #[test]
    fn a_locator_becomes_the_selector_that_a_person_would_write() {
        for (locator, selector) in [
            ("id=usuario", "#usuario"),
            ("id=form:usuario", "[id='form:usuario']"),
            ("name=q", "[name='q']"),
            ("linkText=Ver detalle", "role=link[name='Ver detalle']"),
            ("link=Ana's", "role=link[name='Ana\\'s']"),
            ("partialLinkText=Ver", "role=link[name*='Ver']"),
            ("css=#buscar", "#buscar"),
            ("css=.g a", ".g a >> first"),
            ("css=input[name=q]", "input[name=q] >> first"),
            ("css=a=b", "css=a=b >> first"),
            ("//a[2]", "xpath=//a[2] >> first"),
            ("xpath=//input[@id='q']", "#q"),
            ("xpath=(//a)[2]", "xpath=(//a)[2]"),
        ] {
            assert_eq!(selectors(locator, &[]), [selector], "{locator}");
        }
        for locator in ["", "usuario", "dom=x", "id=", "text=x"] {
            assert!(Locator::parse(locator).is_err(), "{locator}");
        }
    }

    #[test]
    fn what_was_recorded_stands_in_the_stable_first_and_each_once() {
        let recorded = [
            ("css=.btn", "css:finder"),
            ("id=entrar", "id"),
            ("name=entrar", "name"),
            ("css=#entrar", "css"),
            ("xpath=//button[@id='entrar']", "xpath:attributes"),
            ("xpath=//form/button", "xpath:position"),
            ("xpath=//button[contains(.,'Ingresar')]", "xpath:innerText"),
        ];
        assert_eq!(
            selectors("css=.btn", &recorded),
            [
                "role=button[name*='Ingresar']",
                "#entrar",
                "[name='entrar']"
            ]
        );
        // Written by hand over what was recorded.
        assert_eq!(selectors("css=#otro", &recorded), ["#otro"]);
    }
}
