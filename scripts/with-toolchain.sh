#!/bin/sh
# Runs a command with the clone's own Node and Bun first on PATH, after fetching them if they are missing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
sh "$root/scripts/setup.sh"
. "$root/scripts/toolchain.sh"
exec "$@"
