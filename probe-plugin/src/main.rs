//! `vigia-probe`: runs browser journeys for Telegraf.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigia_probe::commands::main()
}
