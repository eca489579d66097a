/** What happens in a host's container before systemd takes over as process 1. */

/** Scripts of one start; each is run by `sh -eu` as root, before any service. */
export interface BootScripts {
  readonly publicKey: string;
  readonly user: string;
  /** Makes the host what its variant says, at the first boot only. */
  readonly prepare: string;
  /** At every boot. */
  readonly boot: string;
}

/**
 * The first command of the container. The files that make a host are written at its first boot alone, so that a host
 * that is stopped and started keeps its keys and what was installed.
 */
export function bootCommand(scripts: BootScripts): string {
  return `set -eu
${writableControlGroups}
if ! [ -e /var/lib/lab-prepared ]; then
${hostKeys}
${scripts.prepare}
${authorize(scripts.user, scripts.publicKey)}
touch /var/lib/lab-prepared
fi
${scripts.boot}
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=docker /sbin/init`;
}

/** The engine mounts the container's own control groups read-only; systemd and an inner engine manage them. */
const writableControlGroups = `
while read -r _ folder kind _; do
  case "$folder $kind" in /sys/fs/cgroup*cgroup* | "/sys/fs/cgroup tmpfs") mount -o remount,bind,rw "$folder" ;; esac
done < /proc/self/mounts`;

/** RSA of 2048 bits, because the 3072 bits of ssh-keygen -A can take a second. */
const hostKeys = `
if command -v dropbearkey > /dev/null; then
  for type in ed25519 ecdsa rsa; do dropbearkey -t "$type" -f "/etc/dropbear/dropbear_\${type}_host_key" > /dev/null 2>&1; done
else
  for type in ed25519 ecdsa; do ssh-keygen -q -N '' -t "$type" -f "/etc/ssh/ssh_host_\${type}_key"; done
  ssh-keygen -q -N '' -t rsa -b 2048 -f /etc/ssh/ssh_host_rsa_key
fi`;

function authorize(user: string, publicKey: string): string {
  return `
home=$(getent passwd ${user} | cut -d: -f6)
install -d -m 700 -o ${user} -g ${user} "$home/.ssh"
printf '%s\\n' '${publicKey}' > "$home/.ssh/authorized_keys"
chown ${user}:${user} "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"`;
}
