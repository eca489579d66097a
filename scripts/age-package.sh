#!/bin/sh
# Unpacks Debian's age, which the bundles of export are held against in the tests, into build/age.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
target=${DOCKER_MACHINE_AGE:-$root/build/age}
[ -x "$target/usr/bin/age" ] || sh "$root/scripts/unpack-debian.sh" "$target" age/bookworm
