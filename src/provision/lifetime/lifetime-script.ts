/**
 * The script that ends a machine's time, run once a minute by a timer or by cron. It compares clocks and looks at what
 * uses the machine; nothing of it stays running. Any POSIX shell runs it.
 */
import type { Lifetime } from "../provision-request.ts";
import { sh } from "../shell/shell-text.ts";

/** What the script knows from one run to the next; in memory, so that a boot begins anew. */
export const lifetimeState = "/run/docker-machine-ttl";

export interface LifetimeScriptParameters extends Lifetime {
  /** A connection to one of them is a use of the machine. */
  readonly ports: readonly number[];
}

/** A warning comes this much before the end. */
export function warningSeconds(graceSeconds: number): number {
  return Math.ceil(graceSeconds / 2);
}

/**
 * Without an argument it acts; with `tell` it says `KEY=VALUE` lines: `since`, seconds since 1970 from which on nothing
 * used the machine; `busy`, what did at the last look; `off`, in how many seconds it is powered off, once it has warned.
 */
export function lifetimeScript({ deadline, idleSeconds, graceSeconds, ports }: LifetimeScriptParameters): string {
  const hexadecimal = ports.map((port) => port.toString(16).toUpperCase().padStart(4, "0"));
  const settings = sh`#!/bin/sh
# Written by docker-machine: powers this machine off when its time is over. "docker-machine ttl" changes it.
# Seconds since 1970; empty = no deadline. The same for people:
deadline=${deadline === undefined ? "" : Math.round(deadline.getTime() / 1000)}
: ${deadline?.toISOString() ?? "none"}
# Seconds without a use after which it is powered off too; empty = however long.
idle=${idleSeconds ?? ""}
# Local ports in hexadecimal: a connection to one of them is a use.
ports=${hexadecimal.join(" ")}
grace=${graceSeconds}
warning=${warningSeconds(graceSeconds)}
`;
  return `${settings.text}${body.text}`;
}

const body = sh`
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin; export PATH
state=${lifetimeState}
has() { command -v "$1" > /dev/null 2>&1; }
kept() { cat "$state/$1" 2> /dev/null; }
keep() { printf '%s\n' "$2" > "$state/$1"; }
say() {
  if has wall; then wall "$1"; fi > /dev/null 2>&1
  if has logger; then logger -t docker-machine "$1"; fi 2> /dev/null
}
now=$(date +%s)
read -r up rest < /proc/uptime
# Clocks are set; this one only runs.
up=\${up%%.*}

if [ "$1" = tell ]; then
  since=$(kept idle-since)
  [ -z "$since" ] || echo "since=$((now - up + since))"
  echo "busy=$(kept busy)"
  off_at=$(kept off-at)
  [ -z "$off_at" ] || echo "off=$((off_at > up ? off_at - up : 0))"
  exit
fi

# Each says what uses the machine, in words; nothing where nothing does.
connection() {
  cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | awk -v ports="$ports" '
    BEGIN { split(ports, list, " "); for (i in list) ours[list[i]] = 1 }
    $4 == "01" { n = split($2, place, ":"); if (place[n] in ours) { print place[n]; exit } }'
}
if timeout 1 true 2> /dev/null; then bounded() { timeout 20 "$@"; }; else bounded() { "$@"; }; fi
use() {
  busy=$(containers)
  if [ -n "$busy" ]; then echo "$busy"; return; fi
  port=$(connection)
  [ -z "$port" ] || echo "a connection to port $((0x$port))"
}
# What cannot be asked counts as a use.
containers() {
  engine=$(cat /run/docker.pid 2> /dev/null || cat /var/run/docker.pid 2> /dev/null)
  if [ -z "$engine" ] || [ ! -d "/proc/$engine" ]; then
    ! grep -qs '^containerd-shim' /proc/[0-9]*/comm || echo "containers whose engine does not run"
  elif ! has docker; then echo "an engine that cannot be asked: there is no docker client on the machine"
  elif listed=$(DOCKER_HOST=unix:///var/run/docker.sock bounded docker ps --format '{{.Names}} {{.Label "docker-machine.idle"}}' 2> /dev/null); then
    printf '%s\n' "$listed" | awk '$1 != "" && $2 != "ignore" { print "the container " $1; exit }'
  else echo "an engine that does not answer"
  fi
}

mkdir -p "$state"
left=
why=
if [ -n "$deadline" ]; then left=$((deadline - now)); why='its time is over'; fi
if [ -n "$idle" ]; then
  busy=$(use)
  keep busy "$busy"
  if [ -n "$busy" ] || [ ! -s "$state/idle-since" ]; then keep idle-since "$up"; fi
  spare=$((idle - up + $(kept idle-since)))
  if [ -z "$left" ] || [ "$spare" -lt "$left" ]; then left=$spare; why='nothing has used it'; fi
fi
if [ -z "$left" ] || [ "$left" -gt "$warning" ]; then
  [ ! -e "$state/off-at" ] || say "This machine goes on: it is not powered off."
  rm -f "$state/off-at"
  exit 0
fi
if [ ! -s "$state/off-at" ]; then
  # Who is late by a boot, a clock that was set, or a deadline that came nearer is warned all the same.
  wait=$((left > 0 ? left : warning))
  off_at=$((up + wait > grace ? up + wait : grace))
  keep off-at "$off_at"
  say "This machine is powered off in $(((off_at - up + 59) / 60)) min, because $why. To go on: docker-machine ttl NAME 4h"
fi
# Both clocks are cut to seconds.
[ "$left" -le 0 ] && [ "$up" -ge $(($(kept off-at) - 1)) ] || exit 0
say "This machine is powered off, because $why."
if [ -d /run/systemd/system ]; then systemctl --no-block poweroff; else poweroff; fi
`;
