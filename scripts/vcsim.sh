#!/bin/sh
# Builds vCenter's simulator, which stands for vSphere in the tests of vmwarevsphere, from the library that Debian ships into
# build/vcsim: the package is unpacked, not installed. Again when its main changes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
target=${DOCKER_MACHINE_VCSIM:-$root/build/vcsim}
main=$root/test/drivers/vmwarevsphere/vcsim/main.go
[ -e "$target/vcsim" ] && cmp -s "$main" "$target/main.go" && exit 0
command -v go >/dev/null && command -v apt-get >/dev/null || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod a+rx "$work"
echo "Building the simulator for the tests of vmwarevsphere"
fetch() {
  mkdir -p "$target" "$work/debs"
  (cd "$work/debs" && { apt-get -o APT::Sandbox::User=root download golang-github-vmware-govmomi-dev golang-github-google-uuid-dev ||
    { apt-get update && apt-get -o APT::Sandbox::User=root download golang-github-vmware-govmomi-dev golang-github-google-uuid-dev; }; }) || return 1
  for package in "$work"/debs/*.deb; do dpkg -x "$package" "$work/site" || return 1; done
  rm -rf "$target/gocode"
  mv "$work/site/usr/share/gocode" "$target/gocode"
}
build() {
  [ -d "$target/gocode" ] || fetch || return 1
  mkdir -p "$work/own/src/vcsim"
  cp "$main" "$work/own/src/vcsim/main.go"
  GO111MODULE=off GOPATH="$work/own:$target/gocode" CGO_ENABLED=0 go build -o "$work/vcsim" vcsim
}
if ! build >"$work/log" 2>&1; then
  tail -n 20 "$work/log" >&2
  echo "The simulator could not be built; the tests that need it will be skipped." >&2
  exit 0
fi
mv "$work/vcsim" "$target/vcsim"
cp "$main" "$target/main.go"
