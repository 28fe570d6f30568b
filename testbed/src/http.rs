//! An HTTP client for servers on the loopback address.

use std::{sync::Once, time::Duration};

use anyhow::{Context, Result};
use reqwest::Client;

const REQUEST: Duration = Duration::from_secs(10);

/// A client that asks no proxy and gives up in time.
pub fn client() -> Result<Client> {
    name_cryptography();
    Client::builder()
        .timeout(REQUEST)
        .no_proxy()
        .build()
        .context("failed to make an HTTP client")
}

/// Names a TLS provider, which reqwest wants even where everything is plain HTTP. Once for the whole program.
pub fn name_cryptography() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            rustls::crypto::ring::default_provider()
                .install_default()
                .expect("nobody else installs one at this moment: this runs once");
        }
    });
}
