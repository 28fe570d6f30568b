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

/// A document that could not be had, for example because of `net::ERR_NAME_NOT_RESOLVED`.
pub fn failure(address: &str, error: &str) -> Failure {
    let name = error.trim_start_matches("net::");
    let told = format!("`{address}` cannot be reached: {name}");
    if OWN_NETWORK.contains(&name) {
        return Failure::of_probe(ErrorClass::Connect, told);
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
    fn a_probe_without_network_says_nothing_about_the_system() {
        let failure = failure("https://t.example/", "net::ERR_INTERNET_DISCONNECTED");
        assert_eq!(failure.outcome(), Outcome::Unmeasured);
    }
}
