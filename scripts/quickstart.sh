#!/bin/sh
# quickstart.sh [NAME]   a first machine, from a fresh clone: installs what is missing, creates a virtual machine on this
# computer, runs a container in it, and says what to do next. Run again, it finds everything in place.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
name=${1:-default}
began=$(date +%s)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# What runs in the foreground gets the signal too, and has cleaned up by the time this is said.
trap 'printf "\nInterrupted. Nothing is broken: run ./quickstart again, and it goes on from here.\n" >&2; exit 130' INT

# Without hardware virtualization, on a busy computer, a machine boots for minutes.
for bound in SSH=12m PROBE=10m CONFIGURE=15m ENGINE_START=5m ENGINE=5m ENGINE_REQUEST=1m; do
  variable=MACHINE_TIMEOUT_${bound%%=*}
  eval "export $variable=\"\${$variable:-${bound#*=}}\""
done

say() { printf '\n%s\n' "$*"; }
fail() { printf '\n%s\n' "$*" >&2; exit 1; }
seconds_since() { echo "$(($(date +%s) - $1)) s"; }
machine() { "$root/docker-machine" "$@"; }
has() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }
on_terminal() { [ -t 0 ] && [ -t 1 ]; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif has sudo; then sudo "$@"
  else fail "Only root can install packages, and there is no sudo here. As root, run:
  apt-get update && apt-get install --yes --no-install-recommends$missing"
  fi
}

# Runs a command that talks much: only its time is shown, and its words if it fails.
quietly() {
  what=$1 since=$(date +%s)
  shift
  printf '  %s ...' "$what"
  if "$@" >"$log" 2>&1 </dev/null; then printf ' %s\n' "$(seconds_since "$since")"; return; fi
  printf '\n' && tail -n 20 "$log" >&2
  return 1
}

usage() { sed -n '2,3s/^# //p' "$0"; }
case ${1:-} in
  -h | -help | --help) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
esac
case $(uname -s)/$(uname -m) in
  Linux/x86_64) qemu=qemu-system-x86_64 qemu_packages=qemu-system-x86 ;;
  Linux/aarch64) qemu=qemu-system-aarch64 qemu_packages="qemu-system-arm qemu-efi-aarch64" ;;
  Darwin/arm64) qemu=qemu-system-aarch64 qemu_packages=qemu ;;
  Darwin/x86_64) qemu=qemu-system-x86_64 qemu_packages=qemu ;;
  *) fail "There are no machine images for $(uname -m); take a host over SSH instead: ./docker-machine create --driver generic --help" ;;
esac

# What a machine needs on this computer, and the packages that bring it.
missing=
need() { has "$1" || { shift; missing="$missing $*"; }; }
need "$qemu" "$qemu_packages"
if [ "$(uname -s)" = Linux ]; then
  need qemu-img qemu-utils
  need mmdebstrap mmdebstrap debian-archive-keyring
  need newuidmap uidmap
  need mke2fs e2fsprogs
  need ssh openssh-client
fi

if [ -n "$missing" ]; then
  has apt-get || fail "Install these first, and run ./quickstart again (apt, which it would call, is not here):$missing"
  say "To be installed through apt:$missing"
  if on_terminal; then
    printf 'Go on? [Y/n] '
    read -r answer || answer=n
    case $answer in [Nn]*) fail "Nothing was installed." ;; esac
  fi
  # The password is asked for here, where it can be seen.
  as_root true
  # shellcheck disable=SC2086 # a list of packages
  quietly "Fetching the lists of packages" as_root apt-get update -q &&
    quietly "Installing them" as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing ||
    fail "apt could not install them; its last words are above. Once that is repaired, run ./quickstart again."
fi

say "Preparing docker-machine..."
since=$(date +%s)
machine version
echo "  $(seconds_since "$since")"

# A create that was cut off, or failed, says in the list how to go on.
not_ready='The machine is not ready. Once what is said above is put right, run ./quickstart again.'
state=$(machine status "$name" 2>/dev/null || true)
owed=$(machine ls --filter "name=^$name\$" --format '{{.Error}}' 2>/dev/null || true)
case $state/$owed in
  /* | *"the same create"*)
    say "Creating the machine \"$name\"; the first one takes some minutes, later ones seconds..."
    machine create --driver qemu "$name" || fail "$not_ready"
    ;;
  Running/*" provision "*)
    say "Setting up the machine \"$name\", which was not finished..."
    machine provision "$name" || fail "$not_ready"
    ;;
  Running/*) say "The machine \"$name\" is running." ;;
  Stopped/* | Saved/* | Paused/*)
    say "Starting the machine \"$name\"..."
    machine start "$name" || fail "$not_ready"
    ;;
  *) fail "The machine \"$name\" is in the state $state. See what is wrong: ./docker-machine status $name; or begin anew: ./docker-machine rm -f $name" ;;
esac

# Without a way to a registry a container is made of the machine's own shell.
say "Running a container in it..."
since=$(date +%s)
machine ssh "$name" 'sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
if $sudo docker image inspect quickstart >/dev/null 2>&1; then :
elif timeout 60 $sudo docker pull -q busybox >/dev/null 2>&1; then $sudo docker tag busybox quickstart
else
  echo "  (no registry can be reached from it, so the image is made of its own shell)"
  tar -C / -chf - bin/sh $(ldd /bin/sh | grep -o "/[^ ]*") 2>/dev/null | $sudo docker import - quickstart >/dev/null
fi
$sudo docker run --rm quickstart /bin/sh -c "echo \"  Hello from a container on $(hostname).\""'
echo "  $(seconds_since "$since")"

say "Done in $(seconds_since "$began"). What next:
"
next() { printf '  %-42s %s\n' "$@"; }
if has docker; then
  next "eval \"\$(./docker-machine env $name)\"" "point the docker client of this shell at it, then"
  next "docker run --rm quickstart /bin/sh -c 'echo Hello.'" "run a container there"
  next "docker run -d -p 8080:80 IMAGE" "what it serves is at http://127.0.0.1:8080 here"
else
  next "./docker-machine ssh $name sudo docker ps" "use its engine (with a docker client, from here: ./docker-machine env $name)"
fi
next "./docker-machine ssh $name" "a shell in the machine"
next "./docker-machine ls" "all machines"
next "./docker-machine create NAME" "another one, in seconds"
next "./docker-machine stop $name" "stop it; start brings it back"
next "./docker-machine rm $name" "remove it"
