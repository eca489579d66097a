#!/bin/sh
# Unpacks the two etcd releases that Debian has, which hold a team's store in the tests, into build/etcd-3.4 and build/etcd-3.5.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
folder=${DOCKER_MACHINE_ETCD:-$root/build}
for each in 3.4/bookworm 3.5/trixie; do
  target=$folder/etcd-${each%/*}
  [ -x "$target/usr/bin/etcd" ] || sh "$root/scripts/unpack-debian.sh" "$target" "etcd-server/${each#*/}"
done
