//! A server that talks only to whoever shows a certificate of its own authority.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, crypto::ring,
    server::WebPkiClientVerifier,
};

use crate::{
    network::walk_in,
    running::{Run, Setting, browser_table},
};

/// Who vouches for certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(parameters, key),
        }
    }

    /// A certificate and its key.
    fn certificate(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new([name.to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// Serves as long as the test runs; the address has no slash at the end.
fn serve(authority: &Authority) -> String {
    let (certificate, key) = authority.certificate("127.0.0.1");
    let mut trusted = RootCertStore::empty();
    trusted.add(authority.der.clone().into()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![certificate.der().clone()],
            key.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            // Whoever is refused hangs up.
            std::thread::spawn(move || answer(stream.unwrap(), config).ok());
        }
    });
    format!("https://{address}")
}

/// Signs in by a redirect with a cookie, loads a part of the page, takes a form and shows what it was sent.
fn answer(stream: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    loop {
        let mut first = String::new();
        stream.read_line(&mut first)?;
        let (mut cookie, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "cookie" => value.clone_into(&mut cookie),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut sent = vec![0; length];
        stream.read_exact(&mut sent)?;
        let sent = String::from_utf8_lossy(&sent);
        let (status, more, body) = match first.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["GET", "/"] => (
                "302 Found",
                "Location: /formulario\r\nSet-Cookie: sesion=abierta; Path=/; HttpOnly\r\n\
                 Set-Cookie: idioma=es; Path=/\r\n",
                String::new(),
            ),
            ["GET", "/formulario"] => (
                "200 OK",
                "Content-Type: text/html\r\n",
                "<form method=post action=/enviar><label>Nombre <input name=n></label><button>Enviar</button></form>\
                 <p id=p></p><script src=/parte.js></script>"
                    .into(),
            ),
            ["GET", "/parte.js"] => (
                "200 OK",
                "Content-Type: text/javascript\r\n",
                "p.textContent = 'Lista'".into(),
            ),
            ["POST", "/enviar"] => (
                "200 OK",
                "Content-Type: text/html\r\n",
                format!("<p>Recibido {sent} con {cookie}</p>"),
            ),
            _ => ("404 Not Found", "", String::new()),
        };
        write!(
            stream.get_mut(),
            "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        stream.get_mut().flush()?;
    }
}

const ACTIONS: &str = r#"{ goto = "${portal}/" }, { expect = { text = "Lista" } },
    { fill = { field = "label=Nombre", with = "Ana" } }, { click = "role=button[name='Enviar']" },
    { expect = { text = "Recibido n=Ana con sesion=abierta; idioma=es" } }"#;

/// Walks with these secrets as certificate and key.
fn walk(server: &str, trusted: &Authority, certificate: &str, key: &str) -> Run {
    let journey = format!(
        r#"
system = "red"
name = "certificado"
impact = "low"
every = "24h"
timeout = "15s"
action_timeout = "3s"
[variables]
portal = "https://t.example"
[[client_certificate]]
url = "${{portal}}"
certificate = "${{secret:ROBOT_CERTIFICADO}}"
key = "${{secret:ROBOT_LLAVE}}"
[[step]]
name = "Usar"
actions = [{ACTIONS}]
"#
    );
    let more = format!("secrets_folder = \"secrets\"\n{}", browser_table());
    let setting = Setting::new(&journey, server, &more).trusting(&trusted.pem);
    walk_in(
        &setting,
        &[("ROBOT_CERTIFICADO", certificate), ("ROBOT_LLAVE", key)],
    )
}

fn told(run: &Run) -> (&str, &str, &str) {
    let text = |key| run.journey.text(key).unwrap_or_default();
    (text("result"), text("error_class"), text("error"))
}

/// The same with a certificate of one authority, on a server of the agency's.
fn walk_certified(agency: &Authority, by: &Authority, trusted: &Authority) -> Run {
    let (certificate, key) = by.certificate("robot.example");
    let server = serve(agency);
    walk(&server, trusted, &certificate.pem(), &key.serialize_pem())
}

#[test]
fn a_server_that_wants_a_certificate_is_used_like_any_other() {
    let agency = Authority::new("Agencia");
    let run = walk_certified(&agency, &agency, &agency);

    assert_eq!(told(&run), ("ok", "", ""));
    assert_eq!(run.journey.integer("http_status"), Some(200));
}

#[test]
fn a_certificate_that_the_server_refuses_is_the_robots_own_fault() {
    let agency = Authority::new("Agencia");
    let run = walk_certified(&agency, &Authority::new("Nadie"), &agency);

    let (result, class, error) = told(&run);
    assert_eq!((result, class), ("unmeasured", "config"), "{error}");
    assert!(error.contains("ERR_BAD_SSL_CLIENT_AUTH_CERT"), "{error}");
}

#[test]
fn a_server_that_nobody_vouches_for_is_as_bad_as_without_a_certificate() {
    let agency = Authority::new("Agencia");
    let run = walk_certified(&agency, &agency, &Authority::new("Nadie"));

    let (result, class, error) = told(&run);
    assert_eq!((result, class), ("failed", "tls"), "{error}");
    assert!(error.contains("ERR_CERT_AUTHORITY_INVALID"), "{error}");
}

#[test]
fn what_is_no_certificate_is_told_without_showing_it() {
    let authority = Authority::new("Agencia");
    let server = serve(&authority);
    let run = walk(
        &server,
        &authority,
        "no soy un certificado",
        "ni yo una llave",
    );

    let (result, class, error) = told(&run);
    assert_eq!((result, class), ("unmeasured", "config"), "{error}");
    assert!(error.contains("has to be PEM"), "{error}");
}
