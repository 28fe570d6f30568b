//! The binary `vigia-benchmark`: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigia_testbed::benchmark::main()
}
