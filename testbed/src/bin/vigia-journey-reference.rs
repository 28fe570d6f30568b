//! The binary `vigia-journey-reference`: everything is in the library, so that tests reach it.

fn main() -> anyhow::Result<()> {
    vigia_testbed::journey_reference::write()
}
