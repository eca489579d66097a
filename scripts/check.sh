#!/bin/sh
# `npm run check`: types, lint, format, dead code and the package's shape; what a change must pass before it is committed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh
. scripts/toolchain.sh
tsc -p .
oxlint --type-aware src test scripts
oxfmt --check src test scripts
knip
sh scripts/build.sh package
publint --strict
node scripts/test.ts unit
