#!/bin/sh
# `npm run release [-- VERSION] [--targets NAME,...] [--from URL] [--out FOLDER]`: all that a release is made of, below
# build/release. See scripts/release.ts.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh
. scripts/toolchain.sh
exec node scripts/release.ts "$@"
