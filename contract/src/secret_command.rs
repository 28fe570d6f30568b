//! A program that prints a secret: a password manager, a vault's client. It is started without a shell, and has its time.

use std::{
    collections::HashMap,
    io,
    os::unix::process::CommandExt,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::SecretString;

/// What stands for the secret's name in an argument.
pub const NAME: &str = "{name}";

/// A vault that has not answered by then is not there.
const DEADLINE: Duration = Duration::from_secs(10);

/// A program that was killed is gone sooner.
const KILLED_DEADLINE: Duration = Duration::from_secs(1);

/// A secret is asked for again when it is so old: one that was changed is noticed, and a vault is not asked for every run.
const KEPT_FOR: Duration = Duration::from_mins(5);

/// The program and its arguments.
#[derive(Clone, Debug)]
pub struct SecretCommand {
    arguments: Vec<String>,
    kept: Arc<Mutex<HashMap<String, (Instant, SecretString)>>>,
}

impl SecretCommand {
    /// A program, and arguments of which one holds the name's place.
    ///
    /// # Errors
    ///
    /// What is missing, with a hint.
    pub fn new(arguments: Vec<String>) -> Result<Self, String> {
        if !arguments
            .iter()
            .skip(1)
            .any(|argument| argument.contains(NAME))
        {
            return Err(format!(
                "the command does not say where the secret's name goes\nhint: write a list such as [\"pass\", \"show\", \"vigia/{NAME}\"]"
            ));
        }
        Ok(Self {
            arguments,
            kept: Arc::default(),
        })
    }

    /// Asks it, unless it has answered lately. Blocks until the program has ended, at most some seconds.
    ///
    /// # Errors
    ///
    /// What the program did instead; never what it printed.
    pub fn ask(&self, name: &str) -> Result<SecretString, String> {
        if let Some((since, value)) = self.kept().get(name)
            && since.elapsed() < KEPT_FOR
        {
            return Ok(value.clone());
        }
        let value = self.run(name, DEADLINE)?;
        self.kept()
            .insert(name.to_owned(), (Instant::now(), value.clone()));
        Ok(value)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, SecretString)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, name: &str, deadline: Duration) -> Result<SecretString, String> {
        let mut words = self.arguments.iter().map(|word| word.replace(NAME, name));
        let program = words.next().unwrap_or_default();
        let child = Command::new(&program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It may quote the secret, or how it is had.
            .stderr(Stdio::null())
            // With what it starts itself, it is ended as a whole.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("could not be started: `{program}`: {error}"))?;
        let group = Pid::from_child(&child);
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || ended.send(child.wait_with_output()).ok());
        let Ok(output) = end.recv_timeout(deadline) else {
            // It may have ended just now.
            kill_process_group(group, Signal::KILL).ok();
            end.recv_timeout(KILLED_DEADLINE).ok();
            let told = format!(
                "did not end within {} s and was stopped",
                deadline.as_secs()
            );
            return Err(told);
        };
        secret(output)
    }
}

fn secret(output: io::Result<Output>) -> Result<SecretString, String> {
    let output = output.map_err(|error| format!("could not be read: {error}"))?;
    if !output.status.success() {
        return Err(format!("failed: {}", output.status));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| "printed something that is not UTF-8".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("printed nothing".into());
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn command(arguments: &[&str]) -> SecretCommand {
        SecretCommand::new(arguments.iter().map(ToString::to_string).collect()).unwrap()
    }

    #[test]
    fn a_program_is_asked_without_a_shell_and_only_once_in_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let asked = folder.path().join("asked");
        let script = format!("echo asked >> '{}'; echo \"<$1>\"", asked.display());
        let vault = command(&["sh", "-c", &script, "vault", "$HOME/{name};id"]);
        for _ in 0..2 {
            assert_eq!(
                vault.ask("CLAVE").unwrap().expose_secret(),
                "<$HOME/CLAVE;id>"
            );
        }
        assert_eq!(std::fs::read_to_string(asked).unwrap(), "asked\n");
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = format!(
            "sleep 1000 & echo $! $$ > '{}'; echo clave; wait",
            started.display()
        );
        let vault = command(&["sh", "-c", &script, "{name}"]);
        let told = vault.run("X", Duration::from_secs(2)).unwrap_err();
        assert_eq!(told, "did not end within 2 s and was stopped");

        // On a machine that is very busy it may not have come so far, and then there is nothing that could be left.
        let started = std::fs::read_to_string(started).unwrap_or_default();
        let ids: Vec<i32> = started
            .split_whitespace()
            .map(|id| id.parse().unwrap())
            .collect();
        // The dead wait for whoever reaps them.
        let lives = |id: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            !state.is_empty() && !state.starts_with(['Z', 'X'])
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        while ids.iter().any(lives) {
            assert!(Instant::now() < deadline, "{ids:?} still run");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_goes_wrong_is_told_without_what_was_printed() {
        let told = |script: &str| {
            command(&["sh", "-c", script, "{name}"])
                .ask("X")
                .unwrap_err()
        };
        assert_eq!(told("echo clave; exit 3"), "failed: exit status: 3");
        assert_eq!(told("true"), "printed nothing");
        assert_eq!(
            told("printf '\\377'"),
            "printed something that is not UTF-8"
        );
        let missing = command(&["/no/such/program", "{name}"])
            .ask("X")
            .unwrap_err();
        assert!(
            missing.starts_with("could not be started: `/no/such/program`"),
            "{missing}"
        );
        assert!(SecretCommand::new(vec!["pass".into(), "show".into()]).is_err());
    }
}
