#!/bin/sh
# Installs the Debian packages that the tests' real peers come from: sshd, dropbear, an engine, QEMU, PostgreSQL, shells, Go. Only as root
# on a system with apt-get; elsewhere the tests that miss a program say so and are skipped.
set -eu
packages="bash-completion busybox-static ca-certificates cloud-init cpio docker-compose docker.io dropbear-bin e2fsprogs fish fuse3 genisoimage golang-go
 iproute2 iptables ksh lz4 mksh mmdebstrap openssh-client openssh-server openssl postgresql procps qemu-system-x86 qemu-utils rsync sshfs tcsh uidmap zsh zstd"
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0
missing=
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "Installing for the tests:$missing"
log=$(mktemp)
# Services of these packages are not wanted on this computer: the tests start their own.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  made_policy=1
fi
status=0
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || status=$?
[ -z "$made_policy" ] || rm -f "$policy"
if [ "$status" -ne 0 ]; then
  tail -n 20 "$log" >&2
  echo "Some packages could not be installed; the tests that need them will be skipped." >&2
fi
rm -f "$log"
exit 0
