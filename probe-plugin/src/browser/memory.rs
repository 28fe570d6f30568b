//! How much memory processes have in use, as the kernel tells it.

use std::fs;

use rustix::process::Pid;

/// The resident set of one process, by its name in `/proc`: the second number, in pages, of `proc_pid_statm(5)`.
pub fn resident_bytes(process: &str) -> Option<i64> {
    let statm = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * i64::try_from(rustix::param::page_size()).ok()?)
}

/// Of all processes of a group together; what they share counts for each.
pub fn resident_bytes_of_group(group: Pid) -> Option<i64> {
    let group = group.as_raw_nonzero().to_string();
    let entries = fs::read_dir("/proc").ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let members = names.filter(|name| {
        let stat = fs::read_to_string(format!("/proc/{name}/stat")).unwrap_or_default();
        // State, parent and group stand behind the name in brackets: proc_pid_stat(5).
        let behind = stat.rsplit_once(") ").map(|(_, behind)| behind);
        behind.and_then(|fields| fields.split(' ').nth(2)) == Some(&group)
    });
    Some(members.filter_map(|name| resident_bytes(&name)).sum())
}
