//! Who else vouches for servers: an organisation's own certificate authority.
//!
//! Chromium on Linux takes further authorities from the certificate store of its user, `~/.pki/nssdb`, which NSS's own
//! `certutil` writes. The browser's home is its profile, so nobody else's store is touched.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use super::find::{on_path, what_is_wrong};

/// Writing a store takes a twentieth of a second.
const DEADLINE: Duration = Duration::from_secs(10);

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates of a file, each by itself.
pub fn certificates(pem: &str) -> Vec<String> {
    let behind = pem.split(BEGIN).skip(1);
    let whole = behind.filter_map(|text| Some(text.split_once(END)?.0));
    whole.map(|text| format!("{BEGIN}{text}{END}\n")).collect()
}

/// What is wrong with the files, and what to do about it.
pub fn mistakes(files: &[PathBuf]) -> Vec<(String, &'static str)> {
    let mut mistakes = Vec::new();
    for file in files {
        let shown = file.display();
        match std::fs::read_to_string(file) {
            Err(error) => mistakes.push((
                format!("the authority `{shown}` cannot be read: {error}"),
                "write a file with certificates in PEM that the probe's user may read",
            )),
            Ok(text) if certificates(&text).is_empty() => mistakes.push((
                format!("the authority `{shown}` holds no certificate"),
                "write a file in PEM: `-----BEGIN CERTIFICATE-----` and so on",
            )),
            Ok(_) => {}
        }
    }
    if !files.is_empty() && on_path("certutil").is_none() {
        mistakes.push((
            "there is no `certutil`, which hands `extra_ca` to the browser".into(),
            "install it: `libnss3-tools` on Debian, `nss-tools` elsewhere",
        ));
    }
    mistakes
}

/// Makes the store in a browser's home.
pub async fn trust(files: &[PathBuf], home: &Path) -> Result<(), String> {
    if files.is_empty() {
        return Ok(());
    }
    let program = on_path("certutil").ok_or("there is no `certutil`")?;
    let store = home.join(".pki/nssdb");
    let failed = |error: std::io::Error| format!("`{}`: {error}", store.display());
    tokio::fs::create_dir_all(&store).await.map_err(failed)?;
    let database = format!("sql:{}", store.display());
    run(&program, &["-N", "-d", &database, "--empty-password"]).await?;
    let mut count = 0;
    for file in files {
        let text = tokio::fs::read_to_string(file)
            .await
            .map_err(|error| format!("`{}`: {error}", file.display()))?;
        for certificate in certificates(&text) {
            count += 1;
            let single = home.join("authority.pem");
            tokio::fs::write(&single, certificate)
                .await
                .map_err(failed)?;
            let name = format!("vigia-{count}");
            let single = single.display().to_string();
            // `C`: it vouches for servers, and for nothing else.
            let add = [
                "-A", "-d", &database, "-n", &name, "-t", "C,,", "-a", "-i", &single,
            ];
            run(&program, &add).await?;
        }
    }
    Ok(())
}

async fn run(program: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(DEADLINE, command.output()).await;
    let output = ended
        .map_err(|_| "`certutil` did not end in time".to_owned())?
        .map_err(|error| format!("`certutil`: {}", what_is_wrong(program, &error)))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "`certutil` says: {}",
        words.trim().replace('\n', " ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_hold_several_certificates_among_other_things() {
        let one = format!("{BEGIN}\nQUJD\n{END}\n");
        let two = format!("{BEGIN}\nREVG\n{END}\n");
        assert_eq!(
            certificates(&format!("# CA interna\n{one}\n{two}-----BEGIN X-----")),
            [one, two]
        );
        assert!(certificates("").is_empty());
        assert!(certificates(BEGIN).is_empty(), "cut off");
    }
}
