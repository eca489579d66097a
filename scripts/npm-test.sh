#!/bin/sh
# `npm test`: fetches what is missing, builds the two programs that the end-to-end tests run, then runs every test.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh
. scripts/toolchain.sh
sh scripts/test-packages.sh
sh scripts/build.sh executable
sh scripts/build.sh package >build/package.log 2>&1 || { cat build/package.log >&2; exit 1; }
exec node scripts/test.ts "$@"
