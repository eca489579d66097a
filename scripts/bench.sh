#!/bin/sh
# `npm run bench [-- SECTION...]`: builds both programs, then measures. See test/bench/bench.ts.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/build.sh executable
sh scripts/build.sh package >/dev/null 2>&1
. scripts/toolchain.sh
# Costs Node 80 ms a start where it is set, and changes nothing for what is measured.
unset NODE_EXTRA_CA_CERTS
exec node test/bench/bench.ts "$@"
