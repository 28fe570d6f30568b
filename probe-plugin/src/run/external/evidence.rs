//! Whose fault it is when a robot of another kind says that something went wrong, and what kind of fault.
//!
//! Robots fail by exception, and an exception says what happened in words that hardly change: those of Playwright,
//! Puppeteer, Selenium, of browsers, of Node and of Python. A word that proves that the robot could not look is believed
//! before any other; what no word explains is the system's where a test failed, and the robot's where only what stands
//! around a test did.

use vigia_contract::data_model::ErrorClass;

use crate::run::{net_error, outcome::Blame};

use Blame::{Probe, System};
use ErrorClass::{
    Assertion, Browser, Config, Connect, Crash, Dialog, Dns, Download, ElementMissing,
    NotActionable, Script, Timeout, Tls,
};

/// What is judged where no word is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// A test failed.
    Tested,
    /// What prepares a test, or clears up after it.
    Around,
}

/// The robot could not look. Stands before network errors, because a robot may not reach its own browser.
const OWN: [(&[&str], ErrorClass); 2] = [
    (
        &[
            "SessionNotCreatedException",
            "session not created",
            "InvalidSessionIdException",
            "invalid session id",
            "NoSuchDriverException",
            "Unable to obtain driver",
            "unexpectedly exited",
            "cannot find Chrome binary",
            "DevToolsActivePort",
            "chrome not reachable",
            "browserType.launch",
            "browserType.connect",
            "Executable doesn't exist",
            "Failed to launch the browser",
            // Selenium's own connection to its driver.
            "Max retries exceeded with url: /session",
        ],
        Browser,
    ),
    (
        &[
            "collection failure",
            "ModuleNotFoundError",
            "ImportError",
            "SyntaxError",
            "NameError",
            "ReferenceError",
            "Cannot find module",
            "ERR_MODULE_NOT_FOUND",
            "fixture '",
            "command not found",
        ],
        Config,
    ),
];

/// What happened, in the order in which it is believed.
const HAPPENED: [(&[&str], Blame, ErrorClass); 13] = [
    (
        &[
            "ENOTFOUND",
            "EAI_AGAIN",
            "getaddrinfo",
            "Name or service not known",
            "name resolution",
            "NS_ERROR_UNKNOWN_HOST",
            "dnsNotFound",
        ],
        System,
        Dns,
    ),
    (
        &[
            "CERTIFICATE_VERIFY_FAILED",
            "certificate has expired",
            "self-signed certificate",
            "self signed certificate",
            "SSLError",
            "InsecureCertificateException",
            "SEC_ERROR_",
            "SSL_ERROR_",
        ],
        System,
        Tls,
    ),
    (
        &[
            "ECONNREFUSED",
            "ECONNRESET",
            "EHOSTUNREACH",
            "ENETUNREACH",
            "Connection refused",
            "Connection reset",
            "ConnectionError",
            "NS_ERROR_CONNECTION_REFUSED",
            "NS_ERROR_NET_",
            "socket hang up",
        ],
        System,
        Connect,
    ),
    // An expectation may also say how long it was waited for.
    (
        &[
            "expect.",
            "expect(",
            "AssertionError",
            "AssertionFailedError",
            "ExpectationFailed",
        ],
        System,
        Assertion,
    ),
    (
        &[
            "NoSuchElementException",
            "NoSuchElementError",
            "no such element",
            "NoSuchFrameException",
            "NoSuchWindowException",
            "StaleElementReference",
            "failed to find element",
            "No element found",
        ],
        System,
        ElementMissing,
    ),
    (
        &[
            "ElementClickIntercepted",
            "ElementNotInteractable",
            "ElementNotVisible",
            "InvalidElementState",
            "intercepts pointer events",
            "not interactable",
            "not clickable",
        ],
        System,
        NotActionable,
    ),
    (
        &["UnexpectedAlertPresent", "UnexpectedAlertOpen"],
        System,
        Dialog,
    ),
    (&["JavascriptException", "JavascriptError"], System, Script),
    (&["download.saveAs", "Download failed"], System, Download),
    (
        &["Page crashed", "page crashed", "tab crashed"],
        System,
        Crash,
    ),
    // Also where the runner closes the browser under a test whose time is over, and says both.
    (
        &["Timeout", "timeout", "Timed out", "timed out"],
        System,
        Timeout,
    ),
    (
        &[
            "context or browser has been closed",
            "Browser has been closed",
            "Browser closed",
            "Target closed",
            "not connected to DevTools",
        ],
        Probe,
        Browser,
    ),
    (&["AssertionError", "assert "], System, Assertion),
];

/// Judges by what was said.
pub fn judge(said: &str, otherwise: Otherwise) -> (Blame, ErrorClass) {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if let Some((_, class)) = OWN.iter().find(|(words, _)| has(words)) {
        return (Probe, *class);
    }
    if let Some(error) = network_error(said) {
        let failure = net_error::failure("", error);
        return (failure.blame, failure.class);
    }
    let happened = HAPPENED.iter().find(|(words, ..)| has(words));
    match (happened, otherwise) {
        (Some((_, blame, class)), _) => (*blame, *class),
        (None, Otherwise::Tested) => (System, Assertion),
        (None, Otherwise::Around) => (Probe, Config),
    }
}

/// Chromium's own name of it.
fn network_error(said: &str) -> Option<&str> {
    let start = said.find("net::ERR_")?;
    let name = &said[start..];
    let end = name["net::".len()..]
        .find(|character: char| {
            !character.is_ascii_uppercase() && !character.is_ascii_digit() && character != '_'
        })
        .map_or(name.len(), |end| end + "net::".len());
    Some(&name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_exception_says_tells_whose_fault_it_is_and_what_kind() {
        use ErrorClass::HttpStatus;
        for (said, blame, class) in [
            (
                "expect.toBeVisible\nexpect(locator).toBeVisible() failed\nTimeout: 500ms",
                System,
                Assertion,
            ),
            (
                "TimeoutError\nlocator.click: Timeout 500ms exceeded.",
                System,
                Timeout,
            ),
            ("Error\nTest timeout of 1000ms exceeded.", System, Timeout),
            (
                "Error\npage.goto: net::ERR_CONNECTION_REFUSED at http://127.0.0.1/",
                System,
                Connect,
            ),
            ("unknown error: net::ERR_NAME_NOT_RESOLVED", System, Dns),
            (
                "page.goto: net::ERR_TOO_MANY_REDIRECTS at x",
                System,
                HttpStatus,
            ),
            (
                "page.goto: net::ERR_INTERNET_DISCONNECTED at x",
                Probe,
                Connect,
            ),
            (
                "selenium.common.exceptions.NoSuchElementException: Message: no such element",
                System,
                ElementMissing,
            ),
            (
                "ElementClickInterceptedException: Message: element click intercepted",
                System,
                NotActionable,
            ),
            (
                "selenium.common.exceptions.TimeoutException: Message: ",
                System,
                Timeout,
            ),
            (
                "failed on setup with \"SessionNotCreatedException: Message: session not created\"",
                Probe,
                Browser,
            ),
            (
                "browserType.launch: Executable doesn't exist at /x",
                Probe,
                Browser,
            ),
            ("ReferenceError\nfoo is not defined", Probe, Config),
            ("Error: getaddrinfo ENOTFOUND t.example", System, Dns),
            ("ssl.SSLError: CERTIFICATE_VERIFY_FAILED", System, Tls),
            (
                "page.click: Target page, context or browser has been closed",
                Probe,
                Browser,
            ),
            ("AssertionError: no dice Chau", System, Assertion),
        ] {
            for otherwise in [Otherwise::Tested, Otherwise::Around] {
                assert_eq!(judge(said, otherwise), (blame, class), "{said}");
            }
        }
    }

    #[test]
    fn what_no_word_explains_is_the_systems_in_a_test_and_the_robots_around_it() {
        assert_eq!(
            judge("KeyError: 'x'", Otherwise::Tested),
            (System, Assertion)
        );
        assert_eq!(judge("KeyError: 'x'", Otherwise::Around), (Probe, Config));
    }
}
