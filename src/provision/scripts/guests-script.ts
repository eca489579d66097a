/**
 * Guests on a machine: one system user, a line of `authorized_keys` a person, and a program that each of those keys runs
 * whatever it asks for. It looks at each new stream whether the person may still be here, because a connection that was let
 * in stays (sshd asks for no key again). Needs OpenSSH 7.7, whose `expiry-time` shuts the door even where the program fails.
 */
import { guestCommand, type ShareMode } from "../../driver-kit/share-ticket.ts";
import { hereDocument, joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { guestUser, guestPaths } from "../shell/guest-paths.ts";

export interface Grant {
  /** Names the guest here and in the machine's log: see {@link isPersonName}. */
  readonly person: string;
  /** `TYPE BASE64` */
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly mode: ShareMode;
  readonly untilEpochSeconds: number;
}

/** What a guest's name may be: it stands in paths, in `authorized_keys` and in the machine's log. */
export function isPersonName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}$/u.test(text);
}

/** Arguments: the person. The first line of their file has the second until which they may be here, and the mode. */
const enterProgram = `#!/bin/sh
# docker-machine: what the keys of guests run.
person=$1
over() { echo "docker-machine: this machine is not shared with $person any more" >&2; exit 1; }
read -r until mode rest 2> /dev/null < "${guestPaths.people}/$person" || over
left=$((until - $(date +%s)))
[ "$left" -gt 0 ] || over
asked=$SSH_ORIGINAL_COMMAND
command -v logger > /dev/null 2>&1 && logger -t docker-machine-share "$person from \${SSH_CONNECTION%% *}: \${asked:-shell}"
DOCKER_MACHINE_GUEST=$person; export DOCKER_MACHINE_GUEST
socket=/var/run/docker.sock
# What this person began here, wherever it went.
mine() {
  for folder in /proc/[0-9]*; do
    tr '\\0' '\\n' 2> /dev/null < "$folder/environ" | grep -qxF "DOCKER_MACHINE_GUEST=$person" && echo "\${folder#/proc/}"
  done
}
# Ends it when the time is over, which may have been moved meanwhile.
watch() {
  unset DOCKER_MACHINE_GUEST
  trap '' HUP INT
  trap 'kill "$nap"; exit' TERM
  exec < /dev/null > /dev/null 2>&1
  while read -r until rest < "${guestPaths.people}/$person" && [ "$until" -gt "$(date +%s)" ]; do
    sleep $((until - $(date +%s))) & nap=$!
    wait "$nap"
  done
  kill $(mine); sleep 1; kill -s KILL $(mine)
}
case $mode:$asked in
  *:${guestCommand}) echo ;;
  *:docker*" dial-stdio") ;;
  shell:*)
    watch & watcher=$!
    # Without a terminal all that was begun is ended together; with one, whoever has it must stay in front.
    set --
    if [ -t 0 ]; then timeout --foreground 1 true 2> /dev/null && set -- --foreground; fi
    if [ -n "$asked" ]; then timeout "$@" "$left" sh -c "$asked"; else timeout "$@" "$left" sh -l; fi
    status=$?
    # What goes on without this connection is for the watcher to end.
    unset DOCKER_MACHINE_GUEST
    [ -n "$(mine)" ] || kill "$watcher" 2> /dev/null
    exit "$status" ;;
  *) echo "docker-machine: this key opens the engine alone; use: docker-machine with NAME -- docker ps" >&2; exit 126 ;;
esac
if command -v docker > /dev/null 2>&1; then exec timeout "$left" docker -H "unix://$socket" system dial-stdio; fi
if command -v socat > /dev/null 2>&1; then exec timeout "$left" socat -t 3600 - "UNIX-CONNECT:$socket"; fi
if nc -h 2>&1 | grep -q -- -U; then exec timeout "$left" nc -U "$socket"; fi
echo "docker-machine: nothing here hands streams to the engine; install the docker client or socat" >&2
exit 127
`;

/** Shell functions on guests; after the changing functions. */
export const guestFunctions: ShellText = sh`
home=${guestPaths.home}; people=${guestPaths.people}; keys=${guestPaths.keys}; guest=${guestUser}
# status_of PROCESS NAME: the first number in that line of what the system tells of it.
status_of() { sed -n "s/^$2:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$1/status" 2> /dev/null; }
# of_guest PERSON: processes that a guest started, and what of sshd carries them.
of_guest() {
  for folder in /proc/[0-9]*; do
    tr '\0' '\n' 2> /dev/null < "$folder/environ" | grep -qxF "DOCKER_MACHINE_GUEST=$1" || continue
    echo "\${folder#/proc/}"
  done
}
carrier_of() {
  uid=$(id -u "$guest") process=$1
  while :; do
    process=$(status_of "$process" PPid)
    [ "\${process:-1}" -gt 1 ] || return 0
    [ "$(status_of "$process" Uid)" = "$uid" ] || return 0
    echo "$process"
  done
}
# end_guest PERSON: their key opens nothing more, and what it opened ends.
end_guest() {
  rm -f "$people/$1"
  [ ! -e "$keys" ] || { grep -vF "\"$home/enter $1\"" "$keys" > "$keys.new"; chmod 0644 "$keys.new" && mv -f "$keys.new" "$keys" || exit 1; }
  for round in 1 2 3 4 5 6 7 8 9 10; do
    there=$(of_guest "$1")
    [ -n "$there" ] || return 0
    carriers=$(for process in $there; do carrier_of "$process"; done)
    if [ "$round" -gt 5 ]; then signal=KILL; else signal=TERM; fi
    kill -s "$signal" $there $carriers 2> /dev/null
    nap
  done
  fail machine-busy "Processes of $1 on $label go on: $(of_guest "$1" | tr '\n' ' ')"
}
end_guests() {
  for file in "$people"/*; do [ ! -e "$file" ] || end_guest "\${file##*/}"; done
  # Connections on which nothing is open: with one of them the user could not go.
  uid=$(id -u "$guest" 2> /dev/null)
  [ -z "$uid" ] || for folder in /proc/[0-9]*; do
    process=\${folder#/proc/}
    [ "$(status_of "$process" Uid)" != "$uid" ] || kill -s KILL "$process" 2> /dev/null
  done
  for round in 1 2 3 4 5 6 7 8 9 10; do
    if has userdel; then userdel "$guest" 2> /dev/null; else deluser "$guest" 2> /dev/null; fi
    id "$guest" > /dev/null 2>&1 || break
    nap
  done
  if has groupdel; then groupdel "$guest" 2> /dev/null; else delgroup "$guest" 2> /dev/null; fi
  rm -rf "$home" && changed "$home"
}
end_expired() {
  now=$(date +%s)
  for file in "$people"/*; do
    read -r until rest 2> /dev/null < "$file" && [ "$until" -le "$now" ] && end_guest "\${file##*/}"
  done
}
# Several commands of several owners, one after the other.
take_turn() { mkdir -p ${guestPaths.lockFolder} && exec 9< ${guestPaths.lockFolder} || exit 1; if has flock; then flock -w 60 9 || flock 9; fi; }
tell_guests() {
  for file in "$people"/*; do
    read -r until mode fingerprint since 2> /dev/null < "$file" || continue
    person=\${file##*/}
    count=$(for process in $(of_guest "$person"); do grep -x timeout "/proc/$process/comm" 2> /dev/null; done | wc -l)
    printf '\n@fact\tguest\t%s %s %s %s %s %s\n' "$person" "$until" "$mode" "$fingerprint" "$since" "$count"
  done
}
`;

const checkServer: ShellText = sh`
# The server that carries this very connection.
server=
process=$$
while [ "\${process:-1}" -gt 1 ]; do
  case $(cat "/proc/$process/comm" 2> /dev/null) in sshd*) server=openssh ;; dropbear*) server=dropbear ;; esac
  [ -z "$server" ] || break
  process=$(status_of "$process" PPid)
done
hint "Share a machine whose SSH server is OpenSSH 7.7 or later: older ones do not know when a key's time is over."
[ "$server" = openssh ] || fail driver-unsupported "The SSH server of $label is \${server:-not known}, which cannot be trusted to shut a guest's key out in time"
sshd=$(command -v sshd || echo /usr/sbin/sshd)
version=$({ "$sshd" -V; ssh -V; } 2>&1 | sed -n 's/.*OpenSSH_\([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
set -- $version
{ [ "\${1:-0}" -gt 7 ] || { [ "\${1:-0}" = 7 ] && [ "\${2:-0}" -ge 7 ]; }; } || fail driver-unsupported "OpenSSH on $label is \${1:-not known}\${2:+.$2}; guests need 7.7 or later"
hint "Change that in the machine's sshd_config, for the user $guest at least, and run this command again."
# What the server would do for that user; one that does not tell is taken at its defaults.
settings=$("$sshd" -T -C "user=$guest,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2> /dev/null)
setting() { printf '%s\n' "$settings" | sed -n "s/^$1 //p"; }
case $(setting authorizedkeysfile) in "" | *.ssh/authorized_keys*) ;; *) fail driver-unsupported "sshd on $label reads keys elsewhere: AuthorizedKeysFile $(setting authorizedkeysfile)" ;; esac
case $(setting forcecommand) in "" | none) ;; *) fail driver-unsupported "sshd on $label runs a command of its own for everybody: ForceCommand $(setting forcecommand)" ;; esac
[ "$(setting pubkeyauthentication)" != no ] || fail driver-unsupported "sshd on $label takes no keys: PubkeyAuthentication no"
for kind in allowusers allowgroups; do
  allowed=$(setting "$kind" | tr '\n' ' ')
  case " $allowed" in " " | *" $guest "* | *" * "*) ;; *) fail driver-unsupported "sshd on $label lets in none but $kind $allowed" ;; esac
done
case " $(setting denyusers | tr '\n' ' ')" in *" $guest "*) fail driver-unsupported "sshd on $label shuts $guest out: DenyUsers" ;; esac`;

const makeGuestUser: ShellText = sh`
group=$(stat -c %G /var/run/docker.sock 2> /dev/null)
hint "Run docker-machine doctor $label."
[ -n "$group" ] || fail engine-unreachable "There is no /var/run/docker.sock on $label: its engine does not run"
hint "Give the socket to the group docker (SocketGroup= of docker.socket, or the engine's --group)."
case $group in root | UNKNOWN) fail driver-unsupported "The engine's socket on $label belongs to the group $group, which guests cannot be in" ;; esac
hint "Remove that user, or rename it: guests log in by this name."
if id "$guest" > /dev/null 2>&1; then
  [ -e "$home/enter" ] || fail driver-unsupported "There is a user $guest on $label already, who is somebody else's"
elif has useradd; then
  useradd --system --no-create-home --home-dir "$home" --shell /bin/sh --user-group --groups "$group" "$guest" || exit 1
else
  addgroup -S "$guest" 2> /dev/null; adduser -S -D -H -h "$home" -s /bin/sh -G "$guest" "$guest" && addgroup "$guest" "$group" || exit 1
fi
# A locked account is shut out where PAM does not decide; with this no password fits.
printf '%s:*\n' "$guest" | chpasswd -e 2> /dev/null
mkdir -p "$people" "$home/.ssh" && chmod 0755 "$home" "$people" "$home/.ssh" || exit 1
remember guests "$home"`;

/** After a prelude with the changing functions. Answers with the guests that there are afterwards. */
export function shareScript({ person, publicKey, fingerprint, mode, untilEpochSeconds }: Grant): ShellText {
  const options = mode === "shell" ? "restrict,pty" : "restrict";
  return joinLines(
    guestFunctions,
    sh`take_turn`,
    checkServer,
    makeGuestUser,
    sh`hint ''
end_expired
[ ! -e "$people/"${person} ] || end_guest ${person}
{ cat ${hereDocument(enterProgram)}
} > "$home/enter.new" && chmod 0755 "$home/enter.new" && mv -f "$home/enter.new" "$home/enter" || exit 1
until=${untilEpochSeconds}
[ "$until" -gt "$(date +%s)" ] || fail machine-state "By the clock of $label that time is over"
# sshd reads it as local time, and takes the key in that second too, in which the program lets nobody in any more.
expiry=$(date -d "@$((until - 1))" +%Y%m%d%H%M%S 2> /dev/null)
[ -n "$expiry" ] || fail driver-unsupported "date on $label cannot say what time it is $until seconds after 1970"
printf '%s %s %s %s\n' "$until" ${mode} ${fingerprint} "$(date +%s)" > "$people/"${person} && chmod 0644 "$people/"${person} || exit 1
{ [ ! -e "$keys" ] || cat "$keys"; printf '%s,expiry-time="%s",command="%s/enter %s" %s %s\n' ${options} "$expiry" "$home" ${person} ${publicKey} ${person}; } > "$keys.new"
chmod 0644 "$keys.new" && mv -f "$keys.new" "$keys" || exit 1
if has chcon && has selinuxenabled && selinuxenabled; then chcon -R -t ssh_home_t "$home/.ssh"; chcon -t bin_t "$home/enter"; fi
changed "$home"
tell_guests
end`,
  );
}

export function listGuestsScript(): ShellText {
  return joinLines(
    guestFunctions,
    sh`tell_guests
end`,
  );
}

/** Answers with the guests that stay. */
export function unshareScript(persons: readonly string[]): ShellText {
  return joinLines(
    guestFunctions,
    sh`take_turn
for person in ${persons}; do
  [ -e "$people/$person" ] || { hint "See who is: docker-machine share ls $label"; fail machine-state "$person is no guest on $label"; }
done
end_expired
for person in ${persons}; do end_guest "$person"; done
[ -n "$(ls "$people")" ] || end_guests
tell_guests
end`,
  );
}

/** For a restore: nothing of guests stays. */
export const endGuestsScript: ShellText = joinLines(guestFunctions, sh`[ ! -d "$home" ] || end_guests`);
