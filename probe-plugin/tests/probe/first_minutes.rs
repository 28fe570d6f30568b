//! A newcomer's first ten minutes: the commands of `docs/first-journey.md`, run as they stand there, answer what stands there.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use vigia_testbed::{
    repository,
    servers::{Program, requires},
};

/// The port that the page's web server listens on; in a test it may be another program's.
const PORT: &str = "8766";

/// A command as it is typed, with what is typed behind it, and what the page says that it answers.
struct Typed {
    command: String,
    answer: String,
}

/// The commands of the first section.
fn commands(page: &str) -> Vec<Typed> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("The first ten minutes"))
        .unwrap();
    let blocks = section.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let mut commands: Vec<Typed> = Vec::new();
    let mut typed_until_end = false;
    for line in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            typed_until_end = command.contains("<<'END'");
            commands.push(Typed {
                command: format!("{command}\n"),
                answer: String::new(),
            });
        } else if let Some(last) = commands.last_mut() {
            let text = if typed_until_end {
                &mut last.command
            } else {
                &mut last.answer
            };
            text.push_str(line);
            text.push('\n');
            typed_until_end &= line != "END";
        }
    }
    commands
}

/// Times, and the bars that are drawn of them, are another machine's.
fn without_times(text: &str) -> String {
    let mut told = String::new();
    for line in text.lines() {
        let line: String = line
            .chars()
            .map(|character| match character {
                digit if digit.is_ascii_digit() => '0',
                bar if ('\u{2580}'..='\u{259f}').contains(&bar) => ' ',
                other => other,
            })
            .collect();
        let words: Vec<&str> = line.split_whitespace().collect();
        let words = words.iter().map(|word| {
            let is_number = word.chars().all(|character| "0.".contains(character));
            if is_number { "0" } else { word }
        });
        told.push_str(&words.collect::<Vec<_>>().join(" "));
        told.push('\n');
    }
    told
}

#[test]
fn the_commands_of_the_page_answer_what_the_page_says() {
    if !requires(&[Program::Python]) {
        return;
    }
    let page = fs::read_to_string(repository::path("docs/first-journey.md")).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_vigia-probe"))
        .parent()
        .unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut servers = Vec::new();
    let mut answered = 0;
    for Typed { command, answer } in commands(&page) {
        // What they look at is another machine's: its users, its programs, its Telegraf.
        if command.contains(" doctor ") || command.starts_with("telegraf ") {
            continue;
        }
        let mut command = command.replace(PORT, &port);
        if rustix::process::geteuid().is_root() {
            command = command.replace("vigia-probe try", "vigia-probe try --no-sandbox");
        }
        let in_background = command.trim_end().strip_suffix('&');
        let mut shell = Command::new("bash");
        shell
            .args(["-ec", in_background.unwrap_or(&command)])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{path}", programs.display()))
            .stdin(Stdio::null());
        if in_background.is_some() {
            servers.push(Server::start(&mut shell, &port));
            continue;
        }
        let output = shell.output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let expected = answer.replace(PORT, &port);
        assert_eq!(without_times(&told), without_times(&expected), "{command}");
        answered += usize::from(!answer.is_empty());
    }
    assert!(answered >= 4, "{answered}");
    assert_eq!(servers.len(), 1);
    assert!(folder.path().join("page.jpg").is_file());
}

/// What runs in the background; it ends with this value.
struct Server(std::process::Child);

impl Server {
    fn start(command: &mut Command, port: &str) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        crate::running::until("the page's server", || {
            std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok()
        });
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
