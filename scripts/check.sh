#!/bin/sh
# `npm run check`: types, lint, format, dead code, the package's shape, unit tests; what a change must pass before it is
# committed. The first groups of `npm test` are the same.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh || exit 3
. scripts/toolchain.sh
exec node scripts/test.ts check,unit
