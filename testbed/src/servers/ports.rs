//! Free loopback ports for servers that cannot be asked for port 0.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// How often a server is started before its failure is believed: somebody else may have taken the port in between.
const ATTEMPTS: u32 = 3;

/// A port that nobody listens on at this moment.
pub fn free() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
    Ok(listener
        .local_addr()
        .context("failed to read the address of a socket")?
        .port())
}

/// Starts a server on a free port, and on another where it does not come up.
pub async fn on_a_free_one<T>(mut start: impl AsyncFnMut(u16) -> Result<T>) -> Result<T> {
    let mut attempt = 1;
    loop {
        match start(free()?).await {
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            result => return result,
        }
    }
}
