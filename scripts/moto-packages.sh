#!/bin/sh
# Unpacks moto, which stands for AWS in the tests of amazonec2, from Debian's packages into build/moto: nothing is installed.
# Debian 12 has no moto; that of Debian 13 is pure Python and runs with the Python of both.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
target=${DOCKER_MACHINE_MOTO:-$root/build/moto}
[ -d "$target/usr/lib/python3/dist-packages/moto" ] && exit 0
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
command -v apt-get >/dev/null && [ -e "$keyring" ] || exit 0
# The mirror that this computer takes Debian from; known once there are lists.
own_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m 1 '/debian/*$'; }
mirror=$(own_mirror || { apt-get update >/dev/null 2>&1 && own_mirror; } || true)
[ -n "$mirror" ] || exit 0
newer="moto responses botocore boto3 s3transfer urllib3 requests openssl"
either="typing-extensions antlr4 dateutil jmespath certifi charset-normalizer idna chardet colorama click itsdangerous markupsafe
 jinja2 werkzeug flask flask-cors xmltodict cryptography cffi-backend yaml six"
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-trixie}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" "$work/site"
chmod -R a+rX "$work"
for suite in trixie "$codename"; do
  echo "deb [signed-by=$keyring] $mirror $suite main"
done | sort -u >"$work/sources.list"
cat >"$work/apt.conf" <<EOF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
EOF
export APT_CONFIG="$work/apt.conf"
wanted=
for name in $newer; do wanted="$wanted python3-$name/trixie"; done
for name in $either; do wanted="$wanted python3-$name/$codename"; done
echo "Unpacking moto for the tests of amazonec2"
if ! { apt-get update && cd "$work/debs" && apt-get download $wanted; } >"$work/log" 2>&1; then
  tail -n 20 "$work/log" >&2
  echo "moto could not be had; the tests that need it will be skipped." >&2
  exit 0
fi
for package in "$work"/debs/*.deb; do dpkg -x "$package" "$work/site"; done
mkdir -p "$(dirname "$target")"
rm -rf "$target"
cp -r "$work/site" "$target"
