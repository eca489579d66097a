#!/bin/sh
# Unpacks from Debian's packages what a team's store is tested with: the two etcd releases that Debian has into
# build/etcd-3.4 and build/etcd-3.5, a pooler for PostgreSQL into build/pgbouncer, and a clock that lies into build/faketime.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
folder=${DOCKER_MACHINE_ETCD:-$root/build}
unpack() { # PROGRAM FOLDER PACKAGE/SUITE...
  target=$folder/$2
  [ -x "$target/$1" ] || { shift 2 && sh "$root/scripts/unpack-debian.sh" "$target" "$@"; }
}
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-trixie}")
unpack usr/bin/etcd etcd-3.4 etcd-server/bookworm
unpack usr/bin/etcd etcd-3.5 etcd-server/trixie
unpack usr/sbin/pgbouncer pgbouncer "pgbouncer/$codename" "libevent-2.1-7*/$codename" "libc-ares2*/$codename"
unpack usr/bin/faketime faketime "libfaketime/$codename" "faketime/$codename"
