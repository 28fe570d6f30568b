//! What Chromium's network errors say about whose fault it is, and what kind.
//!
//! Source of the names: Chromium's `net/base/net_error_list.h`; which system error becomes which: `net_errors_posix.cc`.

use vigia_contract::data_model::ErrorClass;

use super::{Failure, outcome::Blame};

use Blame::{Probe, System};

/// The beginnings of names, whose fault that is, and its kind. The first that fits counts, so that an exception stands
/// before its rule. What is not here is the system's and a connection that failed: a user meets it as well.
const KNOWN: [(&[&str], Blame, ErrorClass); 13] = [
    // This machine has no network, changed it, was asleep, or forbids its programs to use it.
    (
        &[
            "ERR_INTERNET_DISCONNECTED",
            "ERR_NETWORK_CHANGED",
            "ERR_NETWORK_IO_SUSPENDED",
            "ERR_NETWORK_ACCESS_",
        ],
        Probe,
        ErrorClass::Connect,
    ),
    // A proxy stands between the robot and the system: that it fails, or says that the system does, proves nothing of the
    // system. (Where users have the same proxy they are hit as well, and no robot can tell.)
    (
        &[
            "ERR_PROXY_",
            "ERR_HTTPS_PROXY_",
            "ERR_TUNNEL_CONNECTION_FAILED",
            "ERR_SOCKS_",
            "ERR_UNEXPECTED_PROXY_AUTH",
        ],
        Probe,
        ErrorClass::Connect,
    ),
    (
        &[
            "ERR_MANDATORY_PROXY_CONFIGURATION_FAILED",
            "ERR_NO_SUPPORTED_PROXIES",
            "ERR_PAC_",
        ],
        Probe,
        ErrorClass::Config,
    ),
    // No browser opens it, whoever types it.
    (
        &["ERR_UNSAFE_PORT", "ERR_INVALID_URL", "ERR_ADDRESS_INVALID"],
        Probe,
        ErrorClass::Config,
    ),
    // A rule of this machine's administrator, not of the system.
    (
        &["ERR_BLOCKED_BY_ADMINISTRATOR", "ERR_BLOCKED_BY_CLIENT"],
        Probe,
        ErrorClass::Config,
    ),
    // The robot's own certificate: missing, expired, or its key cannot be used.
    (
        &["ERR_SSL_CLIENT_AUTH_", "ERR_BAD_SSL_CLIENT_AUTH_CERT"],
        Probe,
        ErrorClass::Config,
    ),
    // This machine is exhausted: memory, disk, sockets, ports.
    (
        &[
            "ERR_INSUFFICIENT_RESOURCES",
            "ERR_OUT_OF_MEMORY",
            "ERR_NO_BUFFER_SPACE",
            "ERR_FILE_NO_SPACE",
            "ERR_ADDRESS_IN_USE",
            "ERR_HOST_RESOLVER_QUEUE_TOO_LARGE",
        ],
        Probe,
        ErrorClass::Browser,
    ),
    // The browser failed at itself.
    (
        &[
            "ERR_CACHE_",
            "ERR_CERT_DATABASE_CHANGED",
            "ERR_CONTEXT_SHUT_DOWN",
            "ERR_FAILED",
            "ERR_NOT_IMPLEMENTED",
            "ERR_UNEXPECTED",
        ],
        Probe,
        ErrorClass::Browser,
    ),
    // Among them a name server that does not answer: of a robot's and of an organisation's, nobody can tell which it is.
    (
        &["ERR_NAME_", "ERR_DNS_", "ERR_ICANN_NAME_COLLISION"],
        System,
        ErrorClass::Dns,
    ),
    (
        &[
            "ERR_CERT_",
            "ERR_CERTIFICATE_",
            "ERR_SSL_",
            "ERR_BAD_SSL_",
            "ERR_ECH_",
        ],
        System,
        ErrorClass::Tls,
    ),
    (
        &["ERR_TIMED_OUT", "ERR_CONNECTION_TIMED_OUT"],
        System,
        ErrorClass::Timeout,
    ),
    // The server answered, and the answer is none that a browser can show. A journey's own addresses are all of the web,
    // so that another scheme can only come from a redirect.
    (
        &[
            "ERR_DISALLOWED_URL_SCHEME",
            "ERR_UNKNOWN_URL_SCHEME",
            "ERR_HTTP_RESPONSE_CODE_FAILURE",
            "ERR_INVALID_HTTP_RESPONSE",
            "ERR_INVALID_REDIRECT",
            "ERR_RESPONSE_HEADERS_",
            "ERR_TOO_MANY_REDIRECTS",
            "ERR_UNSAFE_REDIRECT",
        ],
        System,
        ErrorClass::HttpStatus,
    ),
    (
        &[
            "ERR_INVALID_AUTH_CREDENTIALS",
            "ERR_UNSUPPORTED_AUTH_SCHEME",
        ],
        System,
        ErrorClass::HttpStatus,
    ),
];

/// A document that could not be had, for example because of `net::ERR_NAME_NOT_RESOLVED`.
pub fn failure(address: &str, error: &str) -> Failure {
    let name = error.trim_start_matches("net::");
    let (blame, class) = KNOWN
        .iter()
        .find(|(beginnings, ..)| beginnings.iter().any(|known| name.starts_with(known)))
        .map_or((System, ErrorClass::Connect), |(_, blame, class)| {
            (*blame, *class)
        });
    Failure {
        blame,
        class,
        error: format!("`{address}` cannot be reached: {name}"),
    }
}

/// A navigation that the browser gave up although nothing failed; `status` is the last answer's, if that was no redirect.
pub fn no_page(address: &str, status: Option<i64>) -> Failure {
    match status {
        None => Failure::of_system(
            ErrorClass::HttpStatus,
            format!("`{address}` redirected to an address that no browser opens"),
        ),
        Some(status @ (204 | 205 | 400..)) => Failure::of_system(
            ErrorClass::HttpStatus,
            format!("`{address}` answered with HTTP status {status} and no page"),
        ),
        Some(_) => Failure::of_system(
            ErrorClass::Download,
            format!("`{address}` is a download and no page"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigia_contract::data_model::Outcome;

    #[test]
    fn a_network_error_says_whose_fault_it_is_and_what_kind() {
        use ErrorClass::{Browser, Config, Connect, Dns, HttpStatus, Timeout, Tls};
        for (error, outcome, class) in [
            ("ERR_NAME_NOT_RESOLVED", Outcome::Failed, Dns),
            ("ERR_DNS_TIMED_OUT", Outcome::Failed, Dns),
            ("ERR_CERT_AUTHORITY_INVALID", Outcome::Failed, Tls),
            ("ERR_CERT_DATABASE_CHANGED", Outcome::Unmeasured, Browser),
            ("ERR_SSL_PROTOCOL_ERROR", Outcome::Failed, Tls),
            (
                "ERR_SSL_CLIENT_AUTH_CERT_NEEDED",
                Outcome::Unmeasured,
                Config,
            ),
            ("ERR_CONNECTION_REFUSED", Outcome::Failed, Connect),
            ("ERR_ADDRESS_UNREACHABLE", Outcome::Failed, Connect),
            ("ERR_ADDRESS_IN_USE", Outcome::Unmeasured, Browser),
            ("ERR_EMPTY_RESPONSE", Outcome::Failed, Connect),
            ("ERR_HTTP2_PROTOCOL_ERROR", Outcome::Failed, Connect),
            ("ERR_SOMETHING_NEW", Outcome::Failed, Connect),
            ("ERR_CONNECTION_TIMED_OUT", Outcome::Failed, Timeout),
            ("ERR_TOO_MANY_REDIRECTS", Outcome::Failed, HttpStatus),
            ("ERR_UNSAFE_PORT", Outcome::Unmeasured, Config),
            ("ERR_INTERNET_DISCONNECTED", Outcome::Unmeasured, Connect),
            ("ERR_NETWORK_CHANGED", Outcome::Unmeasured, Connect),
            ("ERR_NETWORK_ACCESS_DENIED", Outcome::Unmeasured, Connect),
            ("ERR_PROXY_CONNECTION_FAILED", Outcome::Unmeasured, Connect),
            ("ERR_TUNNEL_CONNECTION_FAILED", Outcome::Unmeasured, Connect),
            ("ERR_PAC_SCRIPT_FAILED", Outcome::Unmeasured, Config),
            ("ERR_FILE_NO_SPACE", Outcome::Unmeasured, Browser),
        ] {
            let failure = failure("https://t.example/", &format!("net::{error}"));
            assert_eq!(
                (failure.outcome(), failure.class),
                (outcome, class),
                "{error}"
            );
        }
    }

    #[test]
    fn an_answer_that_is_no_page_is_told_by_what_it_was() {
        for (status, class) in [
            (Some(200), ErrorClass::Download),
            (Some(204), ErrorClass::HttpStatus),
            (None, ErrorClass::HttpStatus),
        ] {
            assert_eq!(no_page("https://t.example/", status).class, class);
        }
    }
}
