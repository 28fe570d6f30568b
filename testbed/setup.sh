#!/bin/bash
# Installs what building, demo and tests need and this machine lacks. Says nothing where all is there. With --checks it
# also gets what only `make lint` needs, with --packages what only `make test-packages` does; with --peers it gets no more
# than what `make benchmark` and `make benchmark-storm` compare with.
#
# Debian packages come from apt, Telegraf and InfluxDB are built from their published sources, Synapse comes from PyPI, and
# Exim and Dovecot are unpacked without being installed: a machine's own mail server stays what it is, and no service is
# started. Programs go to
# ${XDG_CACHE_HOME:-~/.cache}/vigia/servers/<name>-<version>/, where a fresh clone on the same machine finds them again.
set -euo pipefail

readonly TELEGRAF_VERSION=1.39.3
readonly INFLUXDB_VERSION=2.9.1
readonly CARGO_DENY_VERSION=0.20.2
readonly COMPOSE_SPEC_VERSION=2.16.2
# As synapse/requirements.txt says.
readonly SYNAPSE_VERSION=1.163.2
readonly MOTO_VERSION=5.2.1
# Every plugin that telegraf.d/ uses; `custom` turns the others off.
readonly TELEGRAF_TAGS=custom,inputs.execd,inputs.internal,inputs.cpu,inputs.mem,inputs.disk,inputs.diskio,inputs.net,inputs.swap,inputs.system,inputs.processes,inputs.systemd_units,inputs.procstat,inputs.http_response,inputs.net_response,inputs.dns_query,inputs.ping,inputs.x509_cert,inputs.tail,outputs.influxdb_v2,outputs.file,parsers.influx,parsers.json_v2,parsers.grok,serializers.influx,processors.converter,processors.rename

# Another list of plugins is another program.
TELEGRAF_FOLDER=telegraf-$TELEGRAF_VERSION-$(printf %s "$TELEGRAF_TAGS" | cksum | cut -d' ' -f1)
readonly TELEGRAF_FOLDER

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
servers=${XDG_CACHE_HOME:-$HOME/.cache}/vigia/servers
scratch=

main() {
  # What others play journeys with, for comparison, and Grafana's own types, which the dashboards are held against.
  have node || packages+=(nodejs)
  have npm || packages+=(npm)
  if [ "${1:-}" = --peers ]; then
    missing_packages
    peers
    compgen -G "$servers/alertmanager-*/vigia-alertmanager" >/dev/null ||
      step "Alertmanager, unpacked and not installed" "a few seconds" unpack_alertmanager
    return
  fi
  need cargo "install Rust from https://rustup.rs"
  if ! have chromium-headless-shell && ! have chromium; then
    packages+=(chromium-headless-shell)
  fi
  # Without any font Chromium's pictures show no text.
  compgen -G "/usr/share/fonts/*/*" >/dev/null || packages+=(fonts-liberation)
  compgen -G "/usr/share/fonts/*/*/NotoColorEmoji.ttf" >/dev/null || packages+=(fonts-noto-color-emoji)
  have cc || packages+=(gcc libc6-dev)
  have pkg-config || packages+=(pkg-config)
  have unshare || packages+=(util-linux)
  # Kills the alert program at a system call of a test's choice.
  have strace || packages+=(strace)
  # Lets it see a clock that is set while it runs.
  compgen -G "/usr/lib/*/faketime/libfaketime.so.1" >/dev/null || packages+=(libfaketime)
  # An ordinary user's mail server runs under users of its own, which newuidmap gives.
  if [ "$(id -u)" != 0 ] && ! have newuidmap; then
    packages+=(uidmap)
  fi
  # Hands an organisation's own certificate authority to the browser.
  have certutil || packages+=(libnss3-tools)
  # Holds the examples against the schema of journeys, as editors do.
  /usr/bin/python3 -c "import jsonschema" 2>/dev/null || packages+=(python3-jsonschema)
  # The robots of other kinds in examples/.
  have chromedriver || packages+=(chromium-driver)
  # A screen for the windows of `try --headed`, and a Chromium that has windows.
  have Xvfb || packages+=(xvfb)
  [ -x /usr/bin/chromium ] || packages+=(chromium)
  have pytest-3 || packages+=(python3-pytest)
  /usr/bin/python3 -c "import selenium" 2>/dev/null || packages+=(python3-selenium)
  # Looks into the PDF of a report.
  have pdftotext || packages+=(poppler-utils)
  # Says which libraries a Debian package needs.
  have dpkg-shlibdeps || packages+=(dpkg-dev)
  # The Matrix server and the store that speaks S3 live in Python environments of their own.
  python3 -c "import ensurepip" 2>/dev/null || packages+=(python3-venv)
  missing_packages
  peers
  present telegraf "$TELEGRAF_FOLDER" || step "Telegraf $TELEGRAF_VERSION" "2 to 5 minutes" build_telegraf
  present influxd "influxdb-$INFLUXDB_VERSION" || step "InfluxDB $INFLUXDB_VERSION" "5 to 10 minutes" build_influxdb
  if [ "${1:-}" = --checks ]; then
    present cargo-deny "cargo-deny-$CARGO_DENY_VERSION" || step "cargo-deny $CARGO_DENY_VERSION" "3 to 6 minutes" build_cargo_deny
  fi
  npm_packages grafana-schema "Grafana's types" "a few seconds"
  npm_packages chat-types "the types of chat services" "half a minute"
  npm_packages har-schema "the schema of HAR archives" "a few seconds"
  have postgres || compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || compgen -G "$servers/postgresql-*/postgres" >/dev/null ||
    step "PostgreSQL, unpacked and not installed" "half a minute" unpack_postgresql
  compgen -G "$servers/dovecot-*/vigia-dovecot" >/dev/null || step "Dovecot, unpacked and not installed" "a few seconds" unpack_dovecot
  present vigia-synapse "synapse-$SYNAPSE_VERSION" || step "Synapse $SYNAPSE_VERSION" "a minute" install_synapse
  npm_packages ../examples/external-playwright "Playwright's test runner" "a few seconds"
  present moto_server "moto-$MOTO_VERSION" || step "a store that speaks S3" "half a minute" install_moto
  compgen -G "$servers/exim-*/exim4" >/dev/null || have exim4 || step "Exim, unpacked and not installed" "a few seconds" unpack_exim
  compgen -G "$servers/irc-relay-*/alertmanager-irc-relay" >/dev/null || step "a receiver of Alertmanager's webhooks, unpacked and not installed" "a few seconds" unpack_irc_relay
  [ "${1:-}" != --packages ] || clean_machine
}

# What looks at the Debian packages and the container's files, and the clean machine that they are installed on.
clean_machine() {
  packages=()
  have lintian || packages+=(lintian)
  have buildah || packages+=(buildah)
  have debootstrap || packages+=(debootstrap)
  have systemd-nspawn || packages+=(systemd-container)
  missing_packages
  present compose-spec "compose-spec-$COMPOSE_SPEC_VERSION" || step "what reads compose files" "half a minute" build_compose_spec
  # Only root can make a machine of it.
  [ "$(id -u)" != 0 ] || [ -f "$servers/debian-root/root.tar" ] || step "a clean Debian" "1 to 2 minutes" build_debian_root
}

packages=()

missing_packages() {
  [ "${#packages[@]}" = 0 ] || step "Debian packages (${packages[*]})" "half a minute" install_packages "${packages[@]}"
}

peers() {
  npm_packages benchmark "what others play journeys with" "half a minute"
}

# npm_packages FOLDER NAME USUALLY: those of its lock file.
npm_packages() {
  [ "$here/$1/node_modules/.package-lock.json" -nt "$here/$1/package-lock.json" ] || step "$2" "$3" install_npm_packages "$1"
}

have() { command -v "$1" >/dev/null; }

need() { have "$1" || fail "there is no \`$1\`" "$2"; }

fail() {
  printf 'set-up: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

# On PATH, or where an earlier set-up put it.
present() {
  have "$1" || [ -x "$servers/$2/$1" ]
}

# step NAME USUALLY COMMAND...: does it and says how long it took. Its output is shown where it fails.
step() {
  local name=$1 usually=$2 began=$SECONDS
  shift 2
  printf 'set-up: %s, usually %s ... ' "$name" "$usually"
  scratch=$(mktemp -d)
  if ! "$@" >"$scratch/log" 2>&1 </dev/null; then
    printf 'failed\n'
    tail -n 40 "$scratch/log" >&2
    fail "$name could not be set up" "the last lines of its output are above"
  fi
  printf 'done in %s s\n' "$((SECONDS - began))"
  rm -rf "$scratch"
  scratch=
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Only root's hands install packages; what to type is said to those who have none.
can_install() {
  have apt-get || { echo "this set-up knows apt only; install by hand: $*"; return 1; }
  [ "$(id -u)" = 0 ] || sudo -n true || { echo "run as root: apt-get install $*"; return 1; }
}

install_packages() (
  set -e
  can_install "$@"
  # Asked first, because the lists of a fresh machine are empty.
  apt-cache show "$@" >/dev/null 2>&1 || as_root apt-get update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
)

# As the lock file says, and nothing of them runs at the installation.
install_npm_packages() (
  set -e
  node -e 'process.exit(Number(process.versions.node.split(".")[0] < 18))' || { echo "node 18 or later is needed"; exit 1; }
  npm ci --ignore-scripts --no-audit --no-fund --prefix "$here/$1"
  touch "$here/$1/node_modules/.package-lock.json"
)

# In an environment of its own: nothing of the machine's Python changes.
install_moto() (
  set -e
  local folder=$servers/moto-$MOTO_VERSION
  rm -rf "$folder"
  mkdir -p "$servers"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "moto[s3,server]==$MOTO_VERSION"
  ln -s bin/moto_server "$folder/moto_server"
)

# keep PROGRAM FOLDER: puts it there as a whole or not at all.
keep() {
  mkdir -p "$servers/$2"
  cp "$1" "$servers/$2/.partial"
  chmod 755 "$servers/$2/.partial"
  mv "$servers/$2/.partial" "$servers/$2/$(basename "$1")"
}

# Goes into the scratch folder and unpacks these packages there.
unpack() {
  can_install "$1"
  apt-cache show "$1" >/dev/null 2>&1 || as_root apt-get update
  cd "$scratch"
  rm -rf unpacked
  # apt's own user may not write here, which apt mentions and copes with.
  apt-get download "$@"
  for package in "$@"; do dpkg-deb -x "$package"_*.deb unpacked; done
}

# Keeps all that was unpacked; a program of it is found by a name of its own.
keep_unpacked() {
  local package=$1 program=$2 link=$3 folder
  folder=$servers/$4-$(dpkg-deb -f "$package"_*.deb Version | sed 's/^[0-9]*://; s/[^0-9.].*//')
  rm -rf "$folder" "$folder.partial"
  mkdir -p "$servers"
  mv unpacked "$folder.partial"
  ln -s "$program" "$folder.partial/$link"
  mv "$folder.partial" "$folder"
}

build_telegraf() (
  set -e
  need go "install Go 1.26 or newer from https://go.dev/dl"
  GOBIN=$scratch CGO_ENABLED=0 go install -tags "$TELEGRAF_TAGS" \
    -ldflags "-s -w -X github.com/influxdata/telegraf/internal.Version=$TELEGRAF_VERSION" \
    "github.com/influxdata/telegraf/cmd/telegraf@v$TELEGRAF_VERSION"
  keep "$scratch/telegraf" "$TELEGRAF_FOLDER"
)

build_compose_spec() (
  set -e
  need go "install Go 1.26 or newer from https://go.dev/dl"
  GOBIN=$scratch go install "github.com/compose-spec/compose-go/v2/cmd@v$COMPOSE_SPEC_VERSION"
  mv "$scratch/cmd" "$scratch/compose-spec"
  keep "$scratch/compose-spec" "compose-spec-$COMPOSE_SPEC_VERSION"
)

# Unoptimised: it is built in half the time and runs for a second.
build_cargo_deny() (
  set -e
  cargo install --debug --locked --root "$scratch" "cargo-deny@$CARGO_DENY_VERSION"
  keep "$scratch/bin/cargo-deny" "cargo-deny-$CARGO_DENY_VERSION"
)

# Its Flux library is Rust. Without RUSTUP_TOOLCHAIN its own toolchain file would fetch an old compiler for five
# targets; without --cap-lints a newer compiler's warnings are errors.
build_influxdb() (
  set -e
  need go "install Go 1.26 or newer from https://go.dev/dl"
  cd "$here/go-tools"
  if have rustup; then
    RUSTUP_TOOLCHAIN=$(rustup show active-toolchain | cut -d' ' -f1)
    export RUSTUP_TOOLCHAIN
  fi
  go build -o "$scratch/pkg-config" github.com/influxdata/pkg-config
  RUSTFLAGS=--cap-lints=warn CARGO_PROFILE_RELEASE_LTO=off CGO_ENABLED=1 PKG_CONFIG=$scratch/pkg-config \
    go build -tags sqlite_foreign_keys,sqlite_json -ldflags "-s -w" -o "$scratch/influxd" \
    github.com/influxdata/influxdb/v2/cmd/influxd
  keep "$scratch/influxd" "influxdb-$INFLUXDB_VERSION"
)

# The root file system of a machine with nothing but systemd, of the release and from the mirror that this machine uses.
build_debian_root() (
  set -e
  local mirror release
  # shellcheck disable=SC1091 # it describes this machine
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # shellcheck disable=SC2016 # apt's own words
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk -v release="$release" '$2 == release { print $1; exit }')
  [ -n "$mirror" ] || { echo "apt knows no mirror of $release; run: apt-get update"; exit 1; }
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates "$release" "$scratch/root" "$mirror"
  rm -rf "$scratch"/root/var/cache/apt/archives/*.deb
  mkdir -p "$servers/debian-root"
  tar --create --file "$servers/debian-root/.partial" --directory "$scratch/root" .
  mv "$servers/debian-root/.partial" "$servers/debian-root/root.tar"
)

# Debian allows one mail server on a machine, and starts it; this one is only ever run by the testbed.
unpack_exim() (
  set -e
  local package=exim4-daemon-light libraries version
  unpack "$package"
  version=$(dpkg-deb -f "$package"_*.deb Version | sed 's/[^0-9.].*//')
  libraries=$(dpkg-deb -f "$package"_*.deb Depends | tr ',' '\n' | sed -n 's/^ *\(lib[^ ]*\).*/\1/p')
  # shellcheck disable=SC2086 # several words
  dpkg-query -W $libraries >/dev/null 2>&1 ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $libraries
  unpacked/usr/sbin/exim4 -C /dev/null -bV >/dev/null 2>&1 || ! ldd unpacked/usr/sbin/exim4 | grep 'not found'
  keep unpacked/usr/sbin/exim4 "exim-$version"
)

# Installed, it would be a service that looks for a server of its own.
unpack_irc_relay() (
  set -e
  local package=alertmanager-irc-relay version
  unpack "$package"
  version=$(dpkg-deb -f "$package"_*.deb Version | sed 's/[^0-9.].*//')
  keep "unpacked/usr/bin/$package" "irc-relay-$version"
)

# Installed, it would be a service. It looks for its templates under /usr, where this folder lies over when it runs.
unpack_alertmanager() (
  set -e
  unpack prometheus-alertmanager
  unpacked/usr/bin/prometheus-alertmanager --version
  keep_unpacked prometheus-alertmanager usr/bin/prometheus-alertmanager vigia-alertmanager alertmanager
)

# Installed, it would be the machine's own way to its mails. The program runs where this folder lies over /usr.
unpack_dovecot() (
  set -e
  local libraries
  unpack dovecot-core dovecot-imapd
  libraries=$(dpkg-deb -f dovecot-core_*.deb Depends | tr ',' '\n' | sed -n 's/^ *\(lib[^ ]*\).*/\1/p')
  # shellcheck disable=SC2086 # several words
  dpkg-query -W $libraries >/dev/null 2>&1 ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $libraries
  unpacked/usr/sbin/dovecot --version
  keep_unpacked dovecot-core usr/sbin/dovecot vigia-dovecot dovecot
)

# Every version is named there, and nothing of them is built or run at the installation.
install_synapse() (
  set -e
  local folder=$servers/synapse-$SYNAPSE_VERSION
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --no-cache-dir --only-binary :all: \
    --requirement "$here/synapse/requirements.txt"
  printf '#!/bin/sh\nexec "%s/bin/python" -m synapse.app.homeserver "$@"\n' "$folder" >"$scratch/vigia-synapse"
  keep "$scratch/vigia-synapse" "synapse-$SYNAPSE_VERSION"
)

# Installed, it would be a service with a database of the machine's own. It finds what it reads from where it stands.
unpack_postgresql() (
  set -e
  local package libraries folder program
  can_install postgresql
  apt-cache show postgresql >/dev/null 2>&1 || as_root apt-get update
  package=$(apt-cache depends postgresql | sed -n 's/^ *Depends: *\(postgresql-[0-9]*\)$/\1/p')
  cd "$scratch"
  apt-get download "$package"
  dpkg-deb -x "$package"_*.deb unpacked
  # LLVM would compile queries; these are small.
  libraries=$(dpkg-deb -f "$package"_*.deb Depends | tr ',' '\n' | sed -n '/libllvm/d; s/^ *\(lib[^ ]*\).*/\1/p')
  # shellcheck disable=SC2086 # several words
  dpkg-query -W tzdata $libraries >/dev/null 2>&1 ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends tzdata $libraries
  program=$(echo unpacked/usr/lib/postgresql/*/bin/postgres)
  "$program" --version
  folder=$servers/postgresql-$(dpkg-deb -f "$package"_*.deb Version | sed 's/[^0-9.].*//')
  rm -rf "$folder"
  mkdir -p "$servers"
  mv unpacked "$folder.partial"
  ln -s "${program#unpacked/}" "$folder.partial/postgres"
  mv "$folder.partial" "$folder"
)

trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT
main "$@"
