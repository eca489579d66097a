/** What happens in a host's container before systemd takes over as process 1. */
import { quoteWord } from "../../src/ssh/shell-quote.ts";

/** What makes a host; each script is run by `sh -eu` as root, before any service. */
export interface BootPlan {
  readonly resolverConfiguration: string;
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
export function bootCommand(plan: BootPlan): string {
  return `set -eu
${writableControlGroups}
if [ -e /var/lib/lab-prepared ]; then
  umount /etc/hosts /etc/hostname /etc/resolv.conf
else
${ownFiles(plan.resolverConfiguration)}
${hostKeys}
${plan.prepare}
${authorize(plan.user, plan.publicKey)}
touch /var/lib/lab-prepared
fi
${untilPluggedIn}
${plan.boot}
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=docker /sbin/init`;
}

/** The lab lays the cable while this script runs. */
const untilPluggedIn = `timeout 120 sh -c 'until ip -4 route show default | grep -q .; do sleep 0.03; done'`;

/** The engine mounts the container's own control groups read-only; systemd and an inner engine manage them. */
const writableControlGroups = `
while read -r _ folder kind _; do
  case "$folder $kind" in /sys/fs/cgroup*cgroup* | "/sys/fs/cgroup tmpfs") mount -o remount,bind,rw "$folder" ;; esac
done < /proc/self/mounts`;

/** The engine mounts its own files over these three; on a real host they can be edited and replaced. */
function ownFiles(resolverConfiguration: string): string {
  return `
for file in hosts hostname; do
  cp "/etc/$file" "/run/$file"
  umount "/etc/$file"
  cat "/run/$file" > "/etc/$file"
done
umount /etc/resolv.conf
printf %s ${quoteWord(resolverConfiguration)} > /etc/resolv.conf`;
}

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
