#!/bin/sh
# `npm test`: fetches what is missing, builds the executable that the end-to-end tests run, then runs every test.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh
. scripts/toolchain.sh
sh scripts/test-packages.sh
sh scripts/build.sh executable
exec node scripts/test.ts "$@"
