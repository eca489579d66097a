/**
 * Fresh SSH host keys for a machine whose first ones were readable for others. Two scripts, because the caller pins the
 * new keys in between: whatever cuts this off, the machine has keys that are pinned.
 */
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { answering, scriptPrelude } from "../shell/script-protocol.ts";

/** Makes the pairs beside those in use and tells their public halves as facts `host_key`. */
export function newHostKeysScript(): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    sh`
umask 077
cd /etc/ssh || fail remote-command "There is no /etc/ssh on this machine"
for type in ed25519 ecdsa rsa; do
  [ "$type" = ed25519 ] || [ -f "ssh_host_\${type}_key" ] || continue
  rm -f "machine_host_\${type}_key" "machine_host_\${type}_key.pub"
  ssh-keygen -q -t "$type" -N "" -C "$(hostname)" -f "machine_host_\${type}_key" < /dev/null ||
    fail remote-command "ssh-keygen could not make a host key of type $type"
  printf '\n@fact\thost-key\t%s\n' "$(cat "machine_host_\${type}_key.pub")"
done
end
`,
  );
}

/** Puts the new pairs in the place of the old ones and has sshd read them. Connections that are open stay. */
export function useHostKeysScript(): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    sh`
cd /etc/ssh || fail remote-command "There is no /etc/ssh on this machine"
for type in ed25519 ecdsa rsa dsa; do
  if [ -f "machine_host_\${type}_key" ]; then
    chmod 0644 "machine_host_\${type}_key.pub"
    mv -f "machine_host_\${type}_key.pub" "ssh_host_\${type}_key.pub"
    mv -f "machine_host_\${type}_key" "ssh_host_\${type}_key"
  else
    rm -f "ssh_host_\${type}_key" "ssh_host_\${type}_key.pub"
  fi
done
sync
if has systemctl; then
  systemctl reload ssh 2> /dev/null || systemctl reload sshd 2> /dev/null || systemctl restart ssh 2> /dev/null || systemctl restart sshd 2> /dev/null
elif has rc-service; then rc-service sshd reload > /dev/null 2>&1 || rc-service sshd restart > /dev/null 2>&1
elif has service; then service ssh reload > /dev/null 2>&1 || service sshd reload > /dev/null 2>&1
fi
end
`,
  );
}
