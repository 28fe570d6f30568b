//! The files of `packaging/container/` and `examples/compose/`: the images are built, on a base that the set-up made because no
//! registry of images is reached, and their programs start; the stack is held against the Compose specification.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the message, in its helpers too"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use vigia_testbed::{
    portal::Portal,
    repository,
    servers::{Program, requires, requires_file, root},
};

#[test]
fn the_configurations_of_the_stack_have_no_mistake() {
    let stack = repository::path("examples/compose");
    let of_the_probe = Command::new(built("vigia-probe"))
        .args(["check", "--config"])
        .arg(stack.join("probe/probe.toml"))
        .output()
        .unwrap();
    succeeded("vigia-probe check", &of_the_probe);
    let of_the_alerts = Command::new(built("vigia-alert"))
        .args(["check", "--config"])
        .arg(stack.join("alert/alert.toml"))
        .envs(
            fs::read_to_string(stack.join("env.example"))
                .unwrap()
                .lines()
                .filter_map(|line| {
                    let name = line.strip_suffix('=')?;
                    // Long enough for every one of them.
                    Some((
                        name,
                        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                    ))
                }),
        )
        .output()
        .unwrap();
    succeeded("vigia-alert check", &of_the_alerts);
}

#[test]
#[ignore = "what checks it is built by make test-packages, which runs this"]
fn the_stack_is_what_the_compose_specification_asks_for() {
    if !requires(&[Program::ComposeSpec]) {
        return;
    }
    let checked = Command::new(Program::ComposeSpec.path().unwrap())
        .arg("-no-interpolation")
        .arg(repository::path("examples/compose/compose.yaml"))
        .output()
        .unwrap();
    succeeded("compose-spec", &checked);
}

#[tokio::test]
#[ignore = "it fetches Chromium for an image; make test-packages runs it"]
async fn the_images_are_built_and_their_programs_start() {
    let programs = [Program::Buildah, Program::Telegraf, Program::DpkgShlibdeps];
    if !requires(&programs) || !requires_file(&root::archive()) || !root::allowed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let images = Images(folder.path().to_owned());
    let context = folder.path().join("packages");
    let packed = Command::new(repository::path("packaging/deb/build"))
        .arg(built("vigia-probe").parent().unwrap())
        .arg(&context)
        .output()
        .unwrap();
    succeeded("packaging/deb/build", &packed);

    let base = folder.path().join("base");
    fs::create_dir(&base).unwrap();
    fs::copy(root::archive(), base.join("root.tar")).unwrap();
    images.build("FROM scratch\nADD root.tar /\n", &base, "base", &[]);
    let telegraf = folder.path().join("telegraf");
    fs::create_dir(&telegraf).unwrap();
    fs::copy(Program::Telegraf.path().unwrap(), telegraf.join("telegraf")).unwrap();
    images.build(
        "FROM scratch\nCOPY telegraf /usr/bin/telegraf\n",
        &telegraf,
        "telegraf",
        &[],
    );
    let arguments = ["BASE=localhost/base", "TELEGRAF=localhost/telegraf"];
    for name in ["probe", "alert"] {
        let file = repository::path("packaging/container").join(format!("{name}.Containerfile"));
        let text = fs::read_to_string(file).unwrap();
        images.build(&text, &context, &format!("vigia-{name}"), &arguments);
    }

    let version = format!("vigia-alert {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        images.run("vigia-alert", "vigia-alert --version").trim(),
        version
    );
    assert_eq!(
        images.run("vigia-alert", "id --user --name").trim(),
        "vigia-alert"
    );
    assert_eq!(
        images.run("vigia-probe", "id --user --name").trim(),
        "telegraf"
    );
    assert!(
        images
            .run(
                "vigia-probe",
                "/usr/bin/tini -s -- /usr/bin/telegraf --version"
            )
            .starts_with("Telegraf ")
    );
    // A chroot, which is all that a test can count on, allows no sandbox of Chromium's.
    let portal = Portal::start().await.unwrap();
    let journey = format!(
        "system = 's'
name = 'j'
impact = 'low'
every = '1m'
timeout = '60s'
[[step]]
name = 'Ver'
actions = [{{ goto = '{}' }}, {{ expect = {{ text = 'Trámites en línea' }} }}]
",
        portal.url()
    );
    let walked = images.run(
        "vigia-probe",
        &format!(
            "cd /tmp && cat >j.toml <<'END'\n{journey}END\nvigia-probe try j.toml --no-sandbox"
        ),
    );
    assert!(walked.contains("\nok in "), "{walked}");
}

/// A store of images of its own.
struct Images(PathBuf);

impl Images {
    fn buildah(&self) -> Command {
        let mut command = Command::new(Program::Buildah.path().unwrap());
        command
            .arg("--root")
            .arg(self.0.join("images"))
            .arg("--runroot")
            .arg(self.0.join("running"))
            // Neither needs anything of the kernel that a container may lack.
            .env("STORAGE_DRIVER", "vfs")
            .env("BUILDAH_ISOLATION", "chroot");
        command
    }

    fn build(&self, text: &str, context: &Path, name: &str, arguments: &[&str]) {
        let file = self.0.join(format!("{name}.Containerfile"));
        fs::write(&file, text).unwrap();
        let mut command = self.buildah();
        command.arg("build").arg("--file").arg(&file);
        for argument in arguments {
            command.arg("--build-arg").arg(argument);
        }
        command.arg("--tag").arg(format!("localhost/{name}"));
        succeeded(name, &command.arg(context).output().unwrap());
    }

    /// What commands print in a container of this image.
    fn run(&self, name: &str, commands: &str) -> String {
        let made = self
            .buildah()
            .args(["from", &format!("localhost/{name}")])
            .output()
            .unwrap();
        succeeded("buildah from", &made);
        let container = String::from_utf8(made.stdout).unwrap();
        let output = self
            .buildah()
            .args(["run", container.trim(), "--", "sh", "-c", commands])
            .output()
            .unwrap();
        succeeded(commands, &output);
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A program of this workspace, as this test was built with.
fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_vigia-demo")).with_file_name(name)
}

fn succeeded(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
