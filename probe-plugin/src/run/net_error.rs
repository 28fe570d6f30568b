//! What Chromium's network errors say about whose fault it is, and what kind.
//!
//! Source of the names: Chromium's `net/base/net_error_list.h`.

use vigia_contract::data_model::ErrorClass;

use super::Failure;

/// The probe's own machine has no network: that says nothing about the system.
const OWN_NETWORK: [&str; 3] = [
    "ERR_INTERNET_DISCONNECTED",
    "ERR_NETWORK_CHANGED",
    "ERR_NETWORK_IO_SUSPENDED",
];

/// The address is one that no browser opens.
const OWN_ADDRESS: [&str; 4] = [
    "ERR_UNSAFE_PORT",
    "ERR_UNKNOWN_URL_SCHEME",
    "ERR_DISALLOWED_URL_SCHEME",
    "ERR_INVALID_URL",
];

/// The probe's own machine is exhausted.
const OWN_MACHINE: [&str; 2] = ["ERR_INSUFFICIENT_RESOURCES", "ERR_OUT_OF_MEMORY"];

/// A document that could not be had, for example because of `net::ERR_NAME_NOT_RESOLVED`.
pub fn failure(address: &str, error: &str) -> Failure {
    let name = error.trim_start_matches("net::");
    let told = format!("`{address}` cannot be reached: {name}");
    if OWN_NETWORK.contains(&name) {
        return Failure::of_probe(ErrorClass::Connect, told);
    }
    if OWN_ADDRESS.contains(&name) {
        return Failure::of_probe(ErrorClass::Config, told);
    }
    if OWN_MACHINE.contains(&name) {
        return Failure::of_probe(ErrorClass::Browser, told);
    }
    if name == "ERR_ABORTED" {
        let told = format!("`{address}` answered with something that is no page");
        return Failure::of_system(ErrorClass::Download, told);
    }
    Failure::of_system(class(name), told)
}

fn class(name: &str) -> ErrorClass {
    let is = |beginnings: &[&str]| {
        beginnings
            .iter()
            .any(|beginning| name.starts_with(beginning))
    };
    if is(&["ERR_NAME_", "ERR_DNS_", "ERR_ICANN_NAME_COLLISION"]) {
        ErrorClass::Dns
    } else if is(&["ERR_CERT_", "ERR_SSL_", "ERR_BAD_SSL_", "ERR_ECH_"]) {
        ErrorClass::Tls
    } else if is(&[
        "ERR_HTTP_RESPONSE_CODE_FAILURE",
        "ERR_TOO_MANY_REDIRECTS",
        "ERR_INVALID_HTTP_RESPONSE",
        // A status of 401, and nobody who could be asked for a password.
        "ERR_INVALID_AUTH_CREDENTIALS",
    ]) {
        ErrorClass::HttpStatus
    } else if is(&["ERR_TIMED_OUT", "ERR_CONNECTION_TIMED_OUT"]) {
        ErrorClass::Timeout
    } else {
        ErrorClass::Connect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigia_contract::data_model::Outcome;

    #[test]
    fn a_network_error_says_what_kind_it_is() {
        for (error, expected) in [
            ("net::ERR_NAME_NOT_RESOLVED", ErrorClass::Dns),
            ("net::ERR_CERT_AUTHORITY_INVALID", ErrorClass::Tls),
            ("net::ERR_SSL_PROTOCOL_ERROR", ErrorClass::Tls),
            ("net::ERR_CONNECTION_REFUSED", ErrorClass::Connect),
            ("net::ERR_EMPTY_RESPONSE", ErrorClass::Connect),
            ("net::ERR_CONNECTION_TIMED_OUT", ErrorClass::Timeout),
            ("net::ERR_TOO_MANY_REDIRECTS", ErrorClass::HttpStatus),
        ] {
            let failure = failure("https://t.example/", error);
            assert_eq!(
                (failure.class, failure.outcome()),
                (expected, Outcome::Failed),
                "{error}"
            );
        }
    }

    #[test]
    fn an_address_that_no_browser_opens_is_the_configurations_fault() {
        let failure = failure("http://t.example:25/", "net::ERR_UNSAFE_PORT");
        assert_eq!(
            (failure.class, failure.outcome()),
            (ErrorClass::Config, Outcome::Unmeasured)
        );
    }

    #[test]
    fn a_probe_without_network_says_nothing_about_the_system() {
        let failure = failure("https://t.example/", "net::ERR_INTERNET_DISCONNECTED");
        assert_eq!(failure.outcome(), Outcome::Unmeasured);
    }
}
