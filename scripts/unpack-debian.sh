#!/bin/sh
# Unpacks packages of any Debian release into a folder, whatever this computer's own release is: nothing is installed.
#   [ARCHITECTURE=arm64] unpack-debian.sh FOLDER NAME/SUITE...
# The folder appears when all is in it. Without apt and its keys nothing is done; the tests that miss a program say so.
set -eu
target=$1
shift
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
command -v apt-get >/dev/null && [ -e "$keyring" ] || exit 0
# The mirror that this computer takes Debian from; known once there are lists.
own_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m 1 '/debian/*$'; }
mirror=$(own_mirror || { apt-get update >/dev/null 2>&1 && own_mirror; } || true)
[ -n "$mirror" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" "$work/site"
chmod -R a+rX "$work"
for wanted in "$@"; do
  echo "deb [signed-by=$keyring] $mirror ${wanted#*/} main"
done | sort -u >"$work/sources.list"
cat >"$work/apt.conf" <<EOF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
EOF
[ -z "${ARCHITECTURE:-}" ] || echo "APT::Architecture \"$ARCHITECTURE\"; APT::Architectures { \"$ARCHITECTURE\"; };" >>"$work/apt.conf"
export APT_CONFIG="$work/apt.conf"
name=$(basename "$target")
echo "Unpacking $name for the tests"
if ! { apt-get update && cd "$work/debs" && apt-get download "$@"; } >"$work/log" 2>&1; then
  tail -n 20 "$work/log" >&2
  echo "$name could not be had; the tests that need it will be skipped." >&2
  exit 0
fi
for package in "$work"/debs/*.deb; do dpkg -x "$package" "$work/site"; done
mkdir -p "$(dirname "$target")"
rm -rf "$target"
cp -r "$work/site" "$target"
