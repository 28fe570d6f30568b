# Set-up, build, demo and tests. `make` lists them.

# The portal's switches and the mailbox stay up until Ctrl-C; with ONCE=1 the demo ends after the recovery.
ONCE ?=
demo_arguments = $(if $(ONCE),--once)

# Where the set-up puts cargo-deny.
tools = $(lastword $(wildcard $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vigia/servers/cargo-deny-*))

.DEFAULT_GOAL := help
.PHONY: help setup setup-checks build demo test lint advisories accuracy

help:
	@echo "make setup   installs what is missing: packages, Telegraf, InfluxDB (the first time 6 to 15 minutes, then under a second)"
	@echo "make build   builds everything (the first time about 3 minutes)"
	@echo "make demo    shows the product at work: a portal breaks, a mail arrives, it heals (half a minute; ONCE=1 ends by itself)"
	@echo "make test    runs every check and test (about 3 minutes once everything is built)"
	@echo "make accuracy  holds the times of steps against pages with known delays (4 minutes, on an idle machine)"
	@echo "make lint    runs the checks alone: format, clippy, licences"

setup:
	@bash testbed/setup.sh

setup-checks:
	@bash testbed/setup.sh --checks

build: setup
	cargo build --workspace --locked

demo: build
	@exec target/debug/vigia-demo $(demo_arguments)

# Released binaries: what is measured is what operators run.
accuracy: setup-checks
	cargo build --release --locked --bin vigia-probe --bin vigia-accuracy
	@exec target/release/vigia-accuracy

# The binaries are built first: the tests of the demo run all three of them.
test: lint build
	CI=true cargo test --workspace --locked

# cargo-deny's list of known holes is fetched from the network: `make advisories` asks it apart.
lint: setup-checks
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	PATH="$(tools):$$PATH" cargo deny check bans licenses sources

advisories: setup-checks
	PATH="$(tools):$$PATH" cargo deny check advisories
