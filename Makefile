# Set-up, build, demo and tests. `make` lists them.

# The portal's switches and the mailbox stay up until Ctrl-C; with ONCE=1 the demo ends after the recovery.
ONCE ?=
demo_arguments = $(if $(ONCE),--once)

# QUICK=1 is a first look, PHASES=1 tells where Vigía's time goes, and OPTIONS are the program's own.
QUICK ?=
PHASES ?=
OPTIONS ?=
benchmark_arguments = $(if $(QUICK),--quick) $(if $(PHASES),--phases) $(OPTIONS)

# Where the set-up puts cargo-deny.
tools = $(lastword $(wildcard $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vigia/servers/cargo-deny-*))

.DEFAULT_GOAL := help
.PHONY: help setup setup-checks build demo dashboards journey-reference dashboards-benchmark benchmark benchmark-alerts benchmark-messages benchmark-report benchmark-backtest benchmark-storm accuracy sizing-disk test soak sizing kills looks lint advisories debs test-packages

help:
	@echo "make setup   installs what is missing: packages, Telegraf, InfluxDB (the first time 6 to 15 minutes, then under a second)"
	@echo "make build   builds everything (the first time about 3 minutes)"
	@echo "make demo    shows the product at work: a portal breaks, a mail arrives, it heals (half a minute; ONCE=1 ends by itself)"
	@echo "make dashboards  writes grafana/dashboards/ anew, in both languages, from testbed/src/dashboards/"
	@echo "make journey-reference  writes docs/journey-reference.md anew, from the probe's types"
	@echo "make dashboards-benchmark  how long their queries take on 30 days of 30 journeys a minute (some minutes)"
	@echo "make benchmark  compares Vigía with its peers (25 minutes and a release build, QUICK=1 2 minutes; needs node 20)"
	@echo "make benchmark-alerts  what the alert engine costs with 10,000 series (half a minute and a release build)"
	@echo "make benchmark-messages  how long mail and chat take over 50 faults, and 500 messages to a service that limits them (a quarter of an hour and a release build)"
	@echo "make benchmark-report  how long the report of a month of 30 systems takes (some minutes and a release build)"
	@echo "make benchmark-backtest  how long trying rules on 30 days of 150 journeys a minute takes (some minutes and a release build)"
	@echo "make benchmark-storm  the same alerts to Vigía and to Alertmanager: how soon, and how many messages (2 minutes and a release build)"
	@echo "make test    runs every check and test (about 16 minutes once everything is built)"
	@echo "make soak    shows that nothing grows: 2,000 runs, what the first and the last hundred took (a quarter of an hour)"
	@echo "make sizing  what 150 journeys a minute take of this machine (5 minutes and a release build, alone on it)"
	@echo "make kills   kills the alert engine 500 times, at every commit and at any moment (6 minutes)"
	@echo "make looks   keeps pictures of mails and of Teams' cards, by day and by night, in target/looks/ (a minute)"
	@echo "make accuracy  holds the times of steps against pages with known delays (4 minutes, on an idle machine)"
	@echo "make sizing-disk  measures what a month of journeys takes on InfluxDB's disk (some minutes)"
	@echo "make debs    makes the Debian packages, in target/debian/ (a release build)"
	@echo "make test-packages  installs them on a clean machine with systemd, word by word as docs/install.md says, and builds the container images (root, some minutes)"
	@echo "make lint    runs the checks alone: format, clippy, licences"

setup:
	@bash testbed/setup.sh

setup-checks:
	@bash testbed/setup.sh --checks

build: setup
	cargo build --workspace --locked

demo: build
	@exec target/debug/vigia-demo $(demo_arguments)

dashboards:
	cargo run --locked --package vigia-testbed --bin vigia-dashboards

journey-reference:
	cargo run --locked --package vigia-testbed --bin vigia-journey-reference

# InfluxDB is filled with 30 days first, which takes some minutes.
dashboards-benchmark: setup
	cargo test --workspace --test grafana --locked -- --ignored --nocapture --exact thirty_days::thirty_days_of_thirty_journeys_a_minute

benchmark:
	@bash testbed/setup.sh --peers
	@node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' || { echo "the benchmark needs node 20 or later"; exit 1; }
	cargo build --release --locked --bin vigia-probe --bin vigia-benchmark
	@exec target/release/vigia-benchmark $(benchmark_arguments)

benchmark-alerts: setup
	cargo bench -p vigia-alert --bench alerts --locked

# Released binaries, started as the demo starts them.
benchmark-messages: setup
	cargo bench -p vigia-alert --bench messages --locked
	cargo build --release --locked --bin vigia-probe --bin vigia-alert --bin vigia-demo
	@exec target/release/vigia-demo --measure $(or $(FAULTS),50) --folder target/messages

# InfluxDB is filled with two months first, which takes some minutes.
benchmark-report: setup
	cargo bench -p vigia-alert --bench report --locked

# InfluxDB is filled with 6.5 million runs first, which takes some minutes.
benchmark-backtest: setup
	cargo bench -p vigia-alert --bench backtest --locked

debs: setup
	cargo build --release --locked --bin vigia-probe --bin vigia-alert
	@packaging/deb/build target/release target/debian

# Apart from `make test`, because it fetches Chromium for the machine that it boots, builds an earlier version to upgrade from,
# and takes some minutes. Root only. `make test` itself builds the packages and looks into them.
EARLIER ?= HEAD~1
test-packages:
	@bash testbed/setup.sh --packages
	@packaging/deb/earlier $(EARLIER) target/earlier
	cargo build --workspace --locked
	EARLIER=target/earlier CI=true cargo test --workspace --test packages --test containers --locked -- --include-ignored --nocapture

benchmark-storm: setup
	@bash testbed/setup.sh --peers
	cargo bench -p vigia-alert --bench storm --locked

# Released binaries: what is measured is what operators run.
accuracy: setup-checks
	cargo build --release --locked --bin vigia-probe --bin vigia-accuracy
	@exec target/release/vigia-accuracy

# InfluxDB compacts what nobody writes to any more after hours; here after seconds.
sizing-disk: setup
	INFLUXD_STORAGE_CACHE_SNAPSHOT_WRITE_COLD_DURATION=5s INFLUXD_STORAGE_COMPACT_FULL_WRITE_COLD_DURATION=5s \
		cargo test --workspace --test disk --locked -- --ignored --nocapture

# The binaries are built first: the tests of the demo run all three of them.
test: lint build
	CI=true cargo test --workspace --locked --no-fail-fast

# Alone on the machine: what else runs on it is in the figures. SOAK_RUNS=500 makes fewer runs.
soak: build
	cargo test --workspace --test probe --locked -- --ignored --nocapture --exact soak::many_runs_hold_memory_descriptors_and_tasks_flat

# Alone on the machine, too, and released: what is measured is what operators run. SIZING_JOURNEYS, SIZING_CONCURRENT and SIZING_MINUTES make it another organisation.
sizing: build
	cargo test --release --workspace --test probe --locked -- --ignored --nocapture --exact sizing::every_run_of_an_organisations_journeys_is_told

# The tests kill it a few dozen times; this many take their time.
KILLS ?= 500
kills: build
	KILLS=$(KILLS) CI=true cargo test --workspace --test alerts --locked -- --nocapture kills::

# The tests measure them; this is for people's eyes.
looks: build
	LOOKS=$(CURDIR)/target/looks CI=true cargo test --workspace --test alerts --locked -- looks::

# cargo-deny's list of known holes is fetched from the network: `make advisories` asks it apart.
lint: setup-checks
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	PATH="$(tools):$$PATH" cargo deny check bans licenses sources

advisories: setup-checks
	PATH="$(tools):$$PATH" cargo deny check advisories
