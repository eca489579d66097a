#!/bin/sh
# Starts the executables for Linux of a release that this computer cannot run as they are: those for arm64 under qemu-user, those
# for musl with musl's loader. All of that comes out of Debian 12's packages; nothing is installed.
#   start-here.sh [FOLDER]
# Debian has no libstdc++ for musl: its own stands in, with what it misses from glibc in glibc-words.c.
set -eu
cd "$(dirname "$0")/../.."
release=${1:-build/release}
tools=$PWD/build/emulation/tools
[ -d "$tools" ] || sh scripts/unpack-debian.sh "$tools" qemu-user-static/bookworm musl/bookworm libstdc++6/bookworm libgcc-s1/bookworm \
  gcc-12/bookworm cpp-12/bookworm binutils-x86-64-linux-gnu/bookworm \
  gcc-12-aarch64-linux-gnu/bookworm cpp-12-aarch64-linux-gnu/bookworm binutils-aarch64-linux-gnu/bookworm
arm64=$PWD/build/emulation/arm64
[ -d "$arm64" ] || ARCHITECTURE=arm64 sh scripts/unpack-debian.sh "$arm64" \
  libc6/bookworm musl/bookworm libstdc++6/bookworm libgcc-s1/bookworm
[ -d "$tools" ] && [ -d "$arm64" ] || { echo "Debian's packages are not to be had here." >&2; exit 1; }

# words COMPILER FILE
words() {
  PATH=$tools/usr/bin:$PATH LD_LIBRARY_PATH=$tools/usr/lib/x86_64-linux-gnu "$1" -w -shared -fPIC -nostdlib -Wl,-soname,"${2##*/}" \
    -o "$2" scripts/release/glibc-words.c
}
x64_libraries=$tools/usr/lib/x86_64-linux-gnu:$tools/lib/x86_64-linux-gnu:$PWD/build/emulation
arm64_libraries=$arm64/usr/lib/aarch64-linux-gnu:$arm64/lib/aarch64-linux-gnu:$PWD/build/emulation
words gcc-12 build/emulation/ld-linux-x86-64.so.2
words aarch64-linux-gnu-gcc-12 build/emulation/ld-linux-aarch64.so.1

# try NAME COMMAND...: makes a store with certificates and a machine in it, and reads them again
try() {
  name=$1
  shift
  store=$(mktemp -d)
  trap 'rm -rf "$store"' EXIT
  "$@" "$release/docker-machine-$name" -s "$store" create -d none --url tcp://127.0.0.1:1 tried >/dev/null
  [ "$("$@" "$release/docker-machine-$name" -s "$store" ls -q)" = tried ]
  "$@" "$release/docker-machine-$name" version | sed "s/^/$name runs: /"
  rm -rf "$store"
}
emulate="$tools/usr/bin/qemu-aarch64-static -L $arm64"
try linux-x64
try linux-x64-musl env LD_LIBRARY_PATH="$x64_libraries" "$tools/lib/ld-musl-x86_64.so.1"
try linux-arm64 $emulate
try linux-arm64-musl $emulate -E LD_LIBRARY_PATH="$arm64_libraries" -E LD_PRELOAD="$PWD/build/emulation/ld-linux-aarch64.so.1" \
  "$arm64/lib/ld-musl-aarch64.so.1"
