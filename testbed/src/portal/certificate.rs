//! The listener with a certificate that no browser takes, and the way there.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::{Context, Result};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::{Fault, Premises};

/// For whoever goes on in spite of the warning.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nCertificado no v\xc3\xa1lido\n";

/// Sends everybody to the bad certificate while that is the fault.
pub(super) async fn redirect(
    State(premises): State<Premises>,
    request: Request,
    next: Next,
) -> Response {
    if premises.faults.has(Fault::BadCertificate) {
        let target = format!("{}{}", premises.bad_certificate_url, request.uri());
        return Redirect::temporary(&target).into_response();
    }
    next.run(request).await
}

/// Opens the listener, leaves it to the runtime, and gives its address without a slash at the end.
pub(super) async fn serve() -> Result<String> {
    let acceptor = TlsAcceptor::from(Arc::new(
        expired().context("failed to make the bad certificate")?,
    ));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("failed to listen on the loopback address")?;
    let address = listener
        .local_addr()
        .context("failed to read the address of a socket")?;
    tokio::spawn(async move {
        loop {
            // A connection that fails, to be accepted or later, is the caller's loss; the next one is another matter.
            if let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move { answer(&acceptor, stream).await.ok() });
            }
        }
    });
    Ok(format!("https://{address}"))
}

async fn answer(acceptor: &TlsAcceptor, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut request = [0; 4096];
    if stream.read(&mut request).await? > 0 {
        stream.write_all(ANSWER).await?;
    }
    stream.shutdown().await
}

fn expired() -> Result<ServerConfig> {
    let key = KeyPair::generate()?;
    let mut certificate = CertificateParams::new([Ipv4Addr::LOCALHOST.to_string()])?;
    certificate.not_before = date_time_ymd(2024, 1, 1);
    certificate.not_after = date_time_ymd(2025, 1, 1);
    let certificate = certificate.self_signed(&key)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    Ok(
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?,
    )
}
