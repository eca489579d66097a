#!/bin/sh
# Fetches what the clone needs, once and again after a lock file changed: the dependencies, and (as npm packages with real
# binaries) the Node that runs the tests and the Bun that compiles the executable. Safe to run twice at once.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)

install() {
  folder=$1
  marker=$folder/node_modules/.installed
  if [ -e "$marker" ] && [ ! "$folder/package-lock.json" -nt "$marker" ]; then
    return
  fi
  command -v npm >/dev/null || { echo "npm is needed to build docker-machine from a clone: install Node 20 or newer." >&2; exit 1; }
  echo "Installing the dependencies of ${folder##*/} ..." >&2
  log=$(mktemp)
  # Not `npm ci`: where a mirror lacks the binaries of other platforms, it takes the lock file for broken.
  if ! (cd "$folder" && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "npm could not install the dependencies; see above. Run the command again once the network is back." >&2
    exit 1
  fi
  # The one install script that is needed: it puts Bun's binary, which came as a package too, where it is called.
  if [ -e "$folder/node_modules/bun/install.js" ]; then
    (cd "$folder/node_modules/bun" && node install.js) >&2
  fi
  rm -f "$log"
  touch "$marker"
}

setup() {
  install "$root"
  install "$root/tools/toolchain"
}

if [ "${SETUP_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
  mkdir -p "$root/build"
  SETUP_LOCKED=1 exec flock "$root/build/.setup.lock" sh "$0" "$@"
fi
setup
