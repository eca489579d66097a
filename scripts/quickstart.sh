#!/bin/sh
# quickstart.sh [NAME]   a first machine, from a fresh clone: installs what is missing, creates a virtual machine on this
# computer, runs a container in it, and says what to do next. Run again, it finds everything in place.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
name=${1:-default}
began=$(date +%s)

say() { printf '\n%s\n' "$*"; }
fail() { printf '\n%s\n' "$*" >&2; exit 1; }
machine() { "$root/docker-machine" "$@"; }
has() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

case $(uname -m) in
  x86_64) qemu=qemu-system-x86_64 qemu_packages=qemu-system-x86 ;;
  aarch64 | arm64) qemu=qemu-system-aarch64 qemu_packages="qemu-system-arm qemu-efi-aarch64" ;;
  *) fail "There are no machine images for $(uname -m); take a host over SSH instead: ./docker-machine create --driver generic --help" ;;
esac

# What a machine needs on this computer, and the packages that bring it.
missing=
need() { has "$1" || { shift; missing="$missing $*"; }; }
need "$qemu" "$qemu_packages"
need qemu-img qemu-utils
need mmdebstrap mmdebstrap debian-archive-keyring
need newuidmap uidmap
need mke2fs e2fsprogs
need ssh openssh-client

if [ -n "$missing" ]; then
  has apt-get || fail "These are missing, and only apt is known to this script:$missing"
  say "To be installed through apt:$missing"
  if [ -t 0 ] && [ -t 1 ]; then
    printf 'Go on? [Y/n] '
    read -r answer
    case $answer in [Nn]*) fail "Nothing was installed." ;; esac
  fi
  as_root apt-get update -qq
  # shellcheck disable=SC2086 # a list of packages
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
fi

case $(machine status "$name" 2>/dev/null || true) in
  Running) say "The machine \"$name\" is running." ;;
  Stopped | Saved | Paused)
    say "Starting the machine \"$name\"..."
    machine start "$name"
    ;;
  *)
    say "Creating the machine \"$name\"; the first one takes minutes, later ones seconds..."
    machine create --driver qemu "$name"
    ;;
esac

# Without a way to a registry a container is made of the machine's own shell.
say "Running a container in it..."
machine ssh "$name" 'sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
hello="echo \"Hello from a container on $(hostname).\""
if $sudo docker image inspect quickstart >/dev/null 2>&1; then :
elif timeout 60 $sudo docker pull -q busybox >/dev/null 2>&1; then $sudo docker tag busybox quickstart
else tar -C / -chf - bin/sh $(ldd /bin/sh | grep -o "/[^ ]*") | $sudo docker import - quickstart >/dev/null
fi
$sudo docker run --rm quickstart /bin/sh -c "$hello"'

say "Done in $(($(date +%s) - began)) seconds. What next:

  eval \$(./docker-machine env $name)    point a docker client of this shell at the machine
  docker run -d -p 8080:80 nginx        then reach it: ./docker-machine ssh $name curl -s localhost:8080
  ./docker-machine ssh $name            a shell in the machine
  ./docker-machine ls                   all machines
  ./docker-machine stop $name           stop it; start brings it back
  ./docker-machine rm $name             remove it"
