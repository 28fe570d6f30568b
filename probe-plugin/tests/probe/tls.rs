//! Servers whose certificate no browser takes.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, version};

/// What is wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nobody vouches for it.
    SelfSigned,
    /// Its time is over, too.
    Expired,
    /// It is another host's, too.
    OfAnotherHost,
}

/// A server that an organisation's own authority vouches for: its address, and the authority's certificate as PEM.
pub fn serve_vouched_for() -> (String, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "CA interna");
    let certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut own = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    // Chromium takes none that is valid for longer than 398 days from an authority that it knows; this one it does not.
    own.use_authority_key_identifier_extension = true;
    let own = own.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            key.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    (serve_with(config), certificate.pem())
}

/// Serves as long as the test runs; the address has no slash at the end.
pub fn serve(fault: Fault) -> String {
    serve_with(config(fault))
}

fn serve_with(config: ServerConfig) -> String {
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            // A browser that does not like the certificate hangs up.
            std::thread::spawn(move || answer(stream.unwrap(), config).ok());
        }
    });
    format!("https://{address}")
}

fn config(fault: Fault) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let host = match fault {
        Fault::OfAnotherHost => "otra.example",
        Fault::SelfSigned | Fault::Expired => "127.0.0.1",
    };
    let mut certificate = CertificateParams::new([host.to_owned()]).unwrap();
    certificate.not_before = date_time_ymd(2024, 1, 1);
    certificate.not_after = match fault {
        Fault::Expired => date_time_ymd(2025, 1, 1),
        Fault::SelfSigned | Fault::OfAnotherHost => date_time_ymd(2100, 1, 1),
    };
    let certificate = certificate.self_signed(&key).unwrap();
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            key.serialize_der().try_into().unwrap(),
        )
        .unwrap()
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    stream.read_exact(&mut [0; 4])?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
}
