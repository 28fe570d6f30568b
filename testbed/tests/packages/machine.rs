//! A clean Debian with systemd, booted from the root file system that the set-up made. It shares this machine's network, so
//! that servers of the test are on its loopback address too.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use vigia_testbed::{
    servers::{Process, Program, process, root},
    until::until,
};

const BOOT: Duration = Duration::from_mins(1);

/// The unit that Telegraf's own package has, as far as it matters here.
const TELEGRAF_UNIT: &str = "[Unit]
After=network-online.target
[Service]
EnvironmentFile=-/etc/default/telegraf
User=telegraf
ExecStart=/usr/bin/telegraf --config /etc/telegraf/telegraf.conf --config-directory /etc/telegraf/telegraf.d
LimitMEMLOCK=8M
Restart=on-failure
RestartForceExitStatus=SIGPIPE
KillMode=mixed
[Install]
WantedBy=multi-user.target
";

/// A running machine. Dropped, it is gone.
pub struct Machine {
    root: PathBuf,
    process: Process,
    leader: i32,
}

impl Machine {
    /// Boots it, with its file system in this folder, which is made.
    pub async fn boot(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let unpacked = Command::new("tar")
            .arg("--extract")
            .arg("--file")
            .arg(root::archive())
            .arg("--directory")
            .arg(folder)
            .output()
            .unwrap();
        succeeded("tar", &unpacked);
        let mut command = process::tied(&Program::Nspawn.path().unwrap());
        // Telegraf locks the memory of its secrets, which systemd-nspawn allows only where it is said.
        command
            .args(["--quiet", "--register=no", "--keep-unit", "--boot"])
            .arg("--system-call-filter=@memlock")
            .args(["--console=pipe", "--resolv-conf=copy-host", "--directory"])
            .arg(folder);
        let log = folder.with_extension("log");
        let process = Process::start("systemd-nspawn", &log, &mut command).unwrap();
        let booted = until("the machine to boot", BOOT, async || {
            let leader = leader(process.id())?;
            let state = inside(leader, "systemctl is-system-running").ok()?;
            let state = String::from_utf8_lossy(&state.stdout).into_owned();
            // A machine without hardware of its own has always something to complain about.
            ["running", "degraded"]
                .contains(&state.trim())
                .then_some(leader)
        });
        let leader = match booted.await {
            Ok(leader) => leader,
            Err(error) => panic!("{:#}", process.explain(error)),
        };
        Self {
            root: folder.to_owned(),
            process,
            leader,
        }
    }

    /// Runs commands as root and gives what they print; one that fails fails the test.
    pub fn run(&self, commands: &str) -> String {
        let output = inside(self.leader, commands).unwrap();
        assert!(
            output.status.success(),
            "{commands}\n{}{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            self.journal()
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The last that its services said.
    pub fn journal(&self) -> String {
        let output = inside(
            self.leader,
            "journalctl --no-pager --lines 60 --unit telegraf --unit vigia-alert",
        )
        .unwrap();
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            self.process.last_lines(5)
        )
    }

    /// Copies files into a folder of its, which is made.
    pub fn bring(&self, files: &[PathBuf], folder: &str) {
        let folder = self.root.join(folder);
        fs::create_dir_all(&folder).unwrap();
        for file in files {
            fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
        }
    }

    /// Writes a file of its.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file of its.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Puts Telegraf where its own package has it: that package can be had from its makers alone.
    pub fn install_telegraf(&self) {
        let program = self.root.join("usr/bin/telegraf");
        fs::copy(Program::Telegraf.path().unwrap(), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        self.write("etc/telegraf/telegraf.conf", "[agent]\n");
        self.write("etc/systemd/system/telegraf.service", TELEGRAF_UNIT);
        fs::create_dir_all(self.root.join("etc/telegraf/telegraf.d")).unwrap();
        self.run("systemctl daemon-reload && systemctl enable --quiet telegraf");
    }
}

impl Drop for Machine {
    /// With its first process all others of it end, which killing systemd-nspawn alone would leave behind.
    fn drop(&mut self) {
        if let Some(first) = rustix::process::Pid::from_raw(self.leader) {
            let ended = rustix::process::kill_process(first, rustix::process::Signal::KILL);
            assert!(ended.is_ok() || std::thread::panicking(), "{ended:?}");
        }
    }
}

/// The first process of the machine: what systemd-nspawn's own child has started.
fn leader(nspawn: i32) -> Option<i32> {
    let mut candidates = children(nspawn);
    while let Some(candidate) = candidates.pop() {
        let name = fs::read_to_string(format!("/proc/{candidate}/comm")).ok()?;
        let is_first = fs::read_to_string(format!("/proc/{candidate}/status"))
            .ok()?
            .lines()
            .any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"));
        if name.trim() == "systemd" && is_first {
            return Some(candidate);
        }
        candidates.extend(children(candidate));
    }
    None
}

fn children(process: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace()
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn inside(leader: i32, commands: &str) -> std::io::Result<Output> {
    Command::new("nsenter")
        .args(["--target", &leader.to_string(), "--all", "--"])
        .args([
            "/usr/bin/env",
            "-i",
            "HOME=/root",
            "LANG=C.UTF-8",
            "DEBIAN_FRONTEND=noninteractive",
        ])
        .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .args(["/bin/bash", "-euo", "pipefail", "-c"])
        // Its own --wd is a folder of the machine outside.
        .arg(format!("cd /root\n{commands}"))
        .output()
}

fn succeeded(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
