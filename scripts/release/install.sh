#!/bin/sh
# Installs docker-machine: picks the executable for this system, verifies it against SHA256SUMS, puts it into PREFIX/bin.
#
#   sh install.sh [--from URL] [--version VERSION] [--prefix FOLDER]
#
# --from is where the files of a release are; with --version, VERSION below it. --prefix is /usr/local, or ~/.local for whoever
# may not write there. Nothing is changed unless all of it was had and is what it should be.
set -eu

origin='@ORIGIN@'
version=
prefix=

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --from | --version | --prefix) [ -n "${2:-}" ] || fail "$1 needs a value" ;;
    -h | --help)
      echo 'Usage: sh install.sh [--from URL] [--version VERSION] [--prefix FOLDER]'
      exit 0
      ;;
    *) fail "$1 is not an option; there are --from URL, --version VERSION and --prefix FOLDER" ;;
  esac
  case $1 in
    --from) origin=$2 ;;
    --version) version=$2 ;;
    --prefix) prefix=$2 ;;
  esac
  shift 2
done
# As it stands in a clone, it knows of none.
case $origin in @*) origin= ;; esac
[ -n "$origin" ] || fail 'say where the release is, with --from URL'
[ -z "$version" ] || origin=${origin%/}/$version

case $(uname -s) in
  Linux) system=linux ;;
  Darwin) system=darwin ;;
  *) fail "there is no executable for $(uname -s)" ;;
esac
case $(uname -m) in
  x86_64 | amd64) machine=x64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) fail "there is no executable for $(uname -m)" ;;
esac
name=docker-machine-$system-$machine
# Systems with musl have its loader; some of them have the other one beside it.
if [ "$system" = linux ] && ls /lib/ld-musl-* >/dev/null 2>&1 && ! ls /lib*/ld-linux-* /lib/*/ld-linux-* >/dev/null 2>&1; then
  name=$name-musl
fi

if [ -z "$prefix" ]; then
  prefix=/usr/local
  if [ ! -w "$prefix/bin" ] && [ ! -w "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail "you may not write to $prefix, and HOME is not set: name another folder with --prefix"
    prefix=$HOME/.local
  fi
fi
# Told before anything is got: the folder that is there, of which the others would be made.
for folder in bin share/docker-machine; do
  there=$prefix/$folder
  while [ ! -e "$there" ] && [ "$there" != "$(dirname "$there")" ]; do there=$(dirname "$there"); done
  [ -d "$there" ] && [ -w "$there" ] || fail "you may not write to $there: name another folder with --prefix, or run this as root"
done

[ ! -d "$prefix/bin/docker-machine" ] || fail "$prefix/bin/docker-machine is a folder: move it away, or name another --prefix"

# A server that has gone quiet is not waited for.
if command -v curl >/dev/null; then
  get() { curl -fsSL --connect-timeout 20 --speed-limit 1 --speed-time 20 -o "$2" "$1"; }
elif command -v wget >/dev/null; then
  get() { wget -q -t 2 -T 20 -O "$2" "$1"; }
else
  fail 'curl or wget is needed'
fi
if command -v sha256sum >/dev/null; then
  sum() { sha256sum "$1"; }
else
  sum() { shasum -a 256 "$1"; }
fi

work=$(mktemp -d)
new=$prefix/bin/.docker-machine.$$
made=
# Folders that were made for nothing go too; what is in use is not empty.
undo() {
  rm -rf "$work" "$new"
  for each in $made; do rmdir "$prefix/$each" 2>/dev/null || true; done
}
trap undo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
fetch() {
  said=$(get "${origin%/}/$1" "$work/$1" 2>&1) || fail "cannot get ${origin%/}/$1${said:+: $said}"
}
fetch SHA256SUMS
wanted=$(awk -v name="$name" '$2 == name { print $1 }' "$work/SHA256SUMS")
[ -n "$wanted" ] || fail "this release has no $name"
fetch "$name"
found=$(sum "$work/$name" | awk '{ print $1 }')
[ "$found" = "$wanted" ] || fail "$name is not what SHA256SUMS says (it is $found, should be $wanted): nothing was installed"

for each in . bin share share/docker-machine; do [ -e "$prefix/$each" ] || made="$each $made"; done
said=$(mkdir -p "$prefix/bin" "$prefix/share/docker-machine" 2>&1) || fail "$said: nothing was installed"
chmod 755 "$work/$name"
# Beside its place first, and started there, so that what is there stays until the new one is whole and runs.
said=$(cp "$work/$name" "$new" 2>&1) || fail "$said: nothing was installed"
shown=$(DOCKER_MACHINE_ARGV0=docker-machine "$new" version 2>&1) || fail "$name does not start on this system: nothing was installed"
mv -f "$new" "$prefix/bin/docker-machine"
made=
echo install.sh >"$prefix/share/docker-machine/installed-by"
echo "Installed $shown in $prefix/bin"
case :$PATH: in
  *":$prefix/bin:"*)
    # One of before, 0.16.2 perhaps, that the shell finds first would go on being used.
    first=$(command -v docker-machine || true)
    [ "$first" -ef "$prefix/bin/docker-machine" ] || echo "$first comes first on PATH: remove it, or put $prefix/bin before its folder"
    ;;
  *) echo "Put $prefix/bin on PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
echo 'Completion for your shell: docker-machine completion install'
