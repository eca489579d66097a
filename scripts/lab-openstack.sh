#!/bin/sh
# `npm run lab:openstack [-- --record]`: builds the executable, then lives with it at a real OpenStack. See test/lab/README.md.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/build.sh executable
. scripts/toolchain.sh
exec node test/e2e/real-openstack.ts "$@"
