/**
 * The one script that looks at a host. Any POSIX shell runs it (dash, bash, busybox ash); it changes nothing and never
 * fails: what a host lacks is simply not said. It goes on as root by itself where that needs no password, so that one
 * round trip tells everything. Every fact is a line `@fact<TAB>key<TAB>value`; a repeated key is a list, and a file is
 * one fact a line.
 */
import { packageOwner } from "./package-owner.ts";
import { lifetimePaths, secretEnvironmentPath } from "../shell/own-files.ts";
import { bootstrap, scriptPrelude } from "../shell/script-protocol.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";
import { inTerminal } from "../shell/terminal.ts";

export interface ProbeParameters {
  /** Port that the engine listens on, or will; undefined = none. */
  readonly port: number | undefined;
  /** Bound on each question to a program of the host. */
  readonly queryMs: number;
}

/** Reading aids for any script. */
export function lookingFunctions(queryMs: number): ShellText {
  return joinLines(sh`query_seconds=${Math.ceil(queryMs / 1000)}`, looking);
}

const looking = sh`
fact() { printf '@fact\t%s\t%s\n' "$1" "$2"; }
file_fact() {
  [ -r "$2" ] && [ -f "$2" ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do fact "$1" "$line"; done < "$2"
}
output_fact() {
  key=$1; shift
  bounded "$@" 2> /dev/null < /dev/null | while IFS= read -r line || [ -n "$line" ]; do fact "$key" "$line"; done
}
# A program that hangs (an engine that does not answer) must not hang the probe, which tells of it past whoever reads its output.
telling=
if timeout -k 1 "$query_seconds" true 2> /dev/null; then limit="-k 1 $query_seconds"
elif timeout "$query_seconds" true 2> /dev/null; then limit=$query_seconds
elif timeout -t "$query_seconds" true 2> /dev/null; then limit="-t $query_seconds"
else limit=; fi
bounded() {
  if [ -z "$limit" ]; then command "$@" 3>&-; return; fi
  timeout $limit "$@" 3>&- && return 0
  ended=$?
  case $telling$ended in yes124|yes137|yes143) printf '@fact\thung\t%s\n' "\${1##*/} $2" >&3 ;; esac
  return $ended
}
first_of() {
  for candidate in "$@"; do
    case $candidate in
      /*) [ -x "$candidate" ] && [ -f "$candidate" ] && { printf '%s' "$candidate"; return; } ;;
      *) found=$(command -v "$candidate" 2> /dev/null) && case $found in /*) printf '%s' "$found"; return ;; esac ;;
    esac
  done
}
`;

const privilege = sh`
probe_privilege() {
  if [ "$(id -u)" = 0 ]; then fact privilege root
  elif has sudo; then
    if answer=$(sudo -k -n sh -c : 2>&1); then fact privilege sudo; return 0; fi
    terminal=
    case $answer in *'must have a tty'*) if has script && has mkfifo; then
      terminal=yes
      if answer=$(sh -c ${inTerminal} sh 'sudo -k -n sh -c :' 2>&1 < /dev/null); then
        fact privilege sudo; fact privilege.terminal yes; return 0
      fi
    fi ;; esac
    case $answer in
      *assword*|*authentication*) fact privilege sudo-password; [ -z "$terminal" ] || fact privilege.terminal yes ;;
      *) fact privilege none; fact privilege.explanation "$(printf '%s' "$answer" | tr '\n' ' ')" ;;
    esac
  elif has doas && doas -n true 2> /dev/null; then fact privilege doas; return 0
  else fact privilege none; fact privilege.explanation "neither sudo nor doas is installed"
  fi
  return 1
}
`;

const operatingSystem = sh`
probe_os() {
  if [ -r /etc/os-release ]; then file_fact os-release /etc/os-release; else file_fact os-release /usr/lib/os-release; fi
  file_fact redhat-release /etc/redhat-release
  file_fact debian-version /etc/debian_version
  file_fact alpine-release /etc/alpine-release
  file_fact lsb-release /etc/lsb-release
  fact architecture "$(uname -m)"
  fact kernel "$(uname -r)"
  fact hostname "$(uname -n)"
  fact clock "$(date +%s)"
}

# What asks systemd waits for it, unless it is known not to answer.
systemd_hangs=
systemctl() { [ -z "$systemd_hangs" ] && bounded systemctl "$@"; }

init_name() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif [ -d /run/openrc ] || { has rc-service && has openrc; }; then echo openrc
  elif initctl version 2> /dev/null | grep -q upstart; then echo upstart
  elif [ -d /etc/init.d ] && [ "$(cat /proc/1/comm 2> /dev/null)" = init ]; then echo sysv
  else echo none
  fi
}

probe_system() {
  init=$(init_name)
  fact init "$init"
  if [ "$init" = systemd ]; then
    output_fact systemd-version systemctl --version
    bounded systemctl show -p Version > /dev/null 2>&1
    case $? in 124|137|143) systemd_hangs=yes ;; esac
  else probe_cron; fi
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then fact cgroups v2
  elif grep -q '^cgroup' /proc/self/mounts 2> /dev/null || grep -q ' cgroup ' /proc/self/mounts 2> /dev/null; then fact cgroups v1
  fi
  if [ -r /sys/fs/selinux/enforce ]; then
    case $(cat /sys/fs/selinux/enforce) in 1) fact selinux enforcing ;; *) fact selinux permissive ;; esac
  fi
  for folder in / /var /etc /tmp /var/lib/docker; do
    [ -d "$folder" ] && fact disk "$folder $(df -Pk "$folder" 2> /dev/null | tail -n 1)"
  done
}

# busybox's crond has a table for each user, others a folder too.
probe_cron() {
  for process in $(grep -lx 'crond\|cron' /proc/[0-9]*/comm 2> /dev/null); do
    case $(readlink "\${process%/comm}/exe") in
      *busybox*) [ -d /etc/crontabs ] && { fact cron crontabs; file_fact "own:"${lifetimePaths.crontab} ${lifetimePaths.crontab}; fact own-path ${lifetimePaths.crontab}; } ;;
      *) [ -d /etc/cron.d ] && fact cron cron.d ;;
    esac
    break
  done
}

probe_programs() {
  for program in curl wget gpg tar gzip ip iptables nft docker hostnamectl systemd-analyze restorecon; do
    has "$program" && fact program "$program"
  done
  for manager in rpm-ostree apt-get dnf yum zypper pacman apk; do
    has "$manager" && fact package-manager "$manager"
  done
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    [ -s "$bundle" ] && { fact ca-certificates yes; break; }
  done
  probe_package_lock
}

# fcntl locks stand in /proc/locks by inode; the other managers write their process id.
probe_package_lock() {
  for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
    [ -e "$file" ] || continue
    inode=$(stat -c %i "$file" 2> /dev/null) || continue
    while read -r _ _ _ _ pid place _; do
      case $place in *:"$inode") lock_fact "$file" "$pid"; return ;; esac
    done < /proc/locks
  done 2> /dev/null
  for file in /var/run/yum.pid /run/zypp.pid; do
    pid_from "$file" && kill -0 "$pid" 2> /dev/null && { lock_fact "$file" "$pid"; return; }
  done
}
# An engine ends its file without a newline, for which "read" fails.
pid_from() { [ -s "$1" ] && { read -r pid < "$1" || [ -n "$pid" ]; }; }
lock_fact() { fact package-lock "$1 $2 $(cat "/proc/$2/comm" 2> /dev/null)"; }
`;

const engine = sh`
${packageOwner}
probe_engine() {
  dockerd=$(first_of dockerd dockerd-current /usr/lib/coreos/dockerd /usr/libexec/docker/dockerd)
  docker=$(first_of docker)
  docker_hangs=
  if [ -n "$docker" ]; then
    shown=$(bounded "$docker" --version 2> /dev/null)
    case $? in 124|137|143) docker_hangs=yes ;; esac
    case $shown in *[Pp]odman*) docker= ;; esac
  fi
  fact dockerd "$dockerd"
  fact docker "$docker"
  fact containerd "$(first_of containerd docker-containerd)"
  case $dockerd$docker in */snap/*) fact snap yes ;; esac
  program=$dockerd
  [ -n "$program" ] || program=$docker
  probe_unit
  probe_running
  # Of an engine that does not answer, its containers' shims tell whether any run.
  [ -n "$answered" ] || fact shims "$(grep -l '^containerd-shim\|^docker-containe' /proc/[0-9]*/comm 2> /dev/null | wc -l)"
  if [ -n "$program" ]; then
    owner=$(package_of "$program") || fact engine-package-unknown yes
    fact engine-package "$owner"
    # An engine that answers has told its version, sooner than its program would.
    [ -n "$answered$docker_hangs" ] || output_fact engine-version "$program" --version
  fi
  file_fact daemon-json /etc/docker/daemon.json
  [ -e /etc/docker/daemon.json ] && fact daemon-json-there yes
  for file in /etc/default/docker /etc/sysconfig/docker /etc/conf.d/docker /var/lib/boot2docker/profile; do
    [ -e "$file" ] && { fact settings-path "$file"; file_fact "settings:$file" "$file"; }
  done
  for store in /var/lib/docker/image/*; do
    # An engine makes its store when it first starts; data is in it once there is an image or a container.
    [ -n "$(ls -A "$store/imagedb/content/sha256" /var/lib/docker/containers 2> /dev/null | grep -v '^$\|:$')" ] &&
      fact data-store "$(basename "$store")"
  done
  for folder in /var/lib/docker /var/lib /var; do
    [ -d "$folder" ] && { fact data-file-system "$(stat -f -c %T "$folder" 2> /dev/null)"; break; }
  done
}

probe_unit() {
  case $init in
    systemd)
      shown=$(systemctl show docker.service -p LoadState -p FragmentPath -p DropInPaths -p ActiveState -p UnitFileState -p MainPID 2> /dev/null)
      printf '%s\n' "$shown" | while IFS= read -r line; do fact unit "$line"; done
      [ -n "$systemd_hangs" ] || output_fact socket systemctl show docker.socket -p LoadState
      for file in $(printf '%s\n' "$shown" | sed -n 's/^FragmentPath=//p; s/^DropInPaths=//p'); do
        fact unit-path "$file"; file_fact "unit-file:$file" "$file"
      done ;;
    *)
      for file in /etc/init.d/docker /etc/init/docker.conf; do
        [ -e "$file" ] && { fact unit-path "$file"; file_fact "unit-file:$file" "$file"; }
      done
      if has rc-update; then rc-update show 2> /dev/null | grep -q '^ *docker ' && fact unit UnitFileState=enabled
      elif ls /etc/rc[2345].d/S*docker > /dev/null 2>&1 || [ -e /etc/init/docker.conf ]; then fact unit UnitFileState=enabled
      fi ;;
  esac
}

probe_running() {
  answered=
  for file in /run/docker.pid /var/run/docker.pid; do
    pid_from "$file" && [ -d "/proc/$pid" ] && { fact engine-pid "$pid"; break; }
  done
  [ -n "$docker" ] && [ -z "$docker_hangs" ] && [ -S /var/run/docker.sock ] || return 0
  # The engine of this host, whatever root's own client is set to.
  DOCKER_HOST=unix:///var/run/docker.sock; export DOCKER_HOST
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_TLS
  # Asking a socket that systemd holds would start an engine that was stopped on purpose.
  [ "$init" = systemd ] && systemctl is-active -q docker.socket && ! systemctl is-active -q docker.service && return 0
  answered=$(bounded "$docker" info --format '{{json .}}' 2> /dev/null < /dev/null)
  # Of an engine that is down newer clients tell a description without a version.
  case $answered in *'"ServerVersion":"'[0-9]*) ;; *) answered=; return 0 ;; esac
  fact engine-info "$answered"
  output_fact container "$docker" ps --no-trunc --format '{{.ID}} {{.Image}} {{.Names}}'
}
`;

const firewall = sh`
probe_firewall() {
  if bounded firewall-cmd --state > /dev/null 2>&1; then
    zone=$(firewalld_zone)
    fact firewalld-zone "$zone"
    bounded firewall-cmd --zone="$zone" --query-port="$port/tcp" > /dev/null 2>&1 && fact firewalld-open yes
    fact firewalld-asked "$port"
    fact firewalld-ports "$(bounded firewall-cmd --zone="$zone" --list-ports 2> /dev/null)"
    return
  fi
  if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf 2> /dev/null; then output_fact ufw ufw status verbose; return; fi
  has nft && output_fact nft nft list ruleset
  # The old iptables loads its modules when asked: only ask where there are rules.
  if [ -s /proc/net/ip_tables_names ] || ! has nft; then has iptables && output_fact iptables iptables -S; fi
  if [ -s /proc/net/ip6_tables_names ] || ! has nft; then has ip6tables && output_fact ip6tables ip6tables -S; fi
  for file in /etc/iptables/rules.v4 /etc/iptables/rules.v6 /etc/sysconfig/iptables /etc/sysconfig/ip6tables /etc/iptables/rules-save /etc/iptables/rules6-save; do
    [ -s "$file" ] && fact firewall-file "$file"
  done
  for file in /etc/nftables.conf /etc/sysconfig/nftables.conf /etc/nftables.nft; do
    [ -s "$file" ] && nftables_at_boot && { fact firewall-file "$file"; break; }
  done
}
nftables_at_boot() { systemctl is-enabled -q nftables 2> /dev/null || rc-update show 2> /dev/null | grep -q '^ *nftables '; }

firewalld_zone() {
  device=$(ip -o route get "$client" 2> /dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  zone=
  [ -n "$device" ] && zone=$(bounded firewall-cmd --get-zone-of-interface="$device" 2> /dev/null)
  [ -n "$zone" ] || zone=$(bounded firewall-cmd --get-default-zone 2> /dev/null)
  printf '%s' "$zone"
}
`;

const ownTraces = sh`
tab=$(printf '\t')
probe_own() {
  if [ -e ${statePaths.run}/list ]; then
    { read -r other < ${statePaths.run}/process && grep -q '#begin' "/proc/$other/cmdline"; } 2> /dev/null && fact run-at-work yes || fact interrupted yes
  fi
  [ -e ${statePaths.restartOwed} ] && fact restart-owed yes
  file_fact record ${statePaths.manifest}
  file_fact record-owner ${statePaths.owner}
  for layer in ${statePaths.below}/*; do
    [ -d "$layer" ] && { fact record-below "$(basename "$layer")"; file_fact "record-owner:$(basename "$layer")" "$layer/owner"; }
  done
  original=${statePaths.originals}/etc/docker/daemon.json
  [ -e "$original" ] && { fact original-daemon-json-there yes; file_fact original-daemon-json "$original"; }
  [ -r ${statePaths.sums} ] && while IFS=$tab read -r sum path; do
    [ "$sum" = "$(cksum < "$path")" ] || fact record-altered "$path"
  done < ${statePaths.sums} 2> /dev/null
  for file in /etc/docker/ca.pem /etc/docker/server.pem ${secretEnvironmentPath} /var/lib/boot2docker/ca.pem /var/lib/boot2docker/server.pem ${lifetimePaths.script} ${lifetimePaths.service} ${lifetimePaths.timer} ${lifetimePaths.cronEntry}; do
    [ -r "$file" ] && { fact own-path "$file"; file_fact "own:$file" "$file"; }
  done
  for file in /etc/docker/server-key.pem /var/lib/boot2docker/server-key.pem; do
    [ -e "$file" ] && fact own-key "$file $(stat -c '%a %u' "$file" 2> /dev/null)"
  done
}
`;

/** The generator leaves `enabled` where cloud-init has something to do at this boot. */
const firstBoot = sh`
probe_first_boot() {
  has cloud-init && [ -e /run/cloud-init/enabled ] && [ ! -e /etc/cloud/cloud-init.disabled ] || return 0
  if [ -e /run/cloud-init/result.json ]; then
    fact first-boot finished
    file_fact first-boot-result /run/cloud-init/result.json
  else fact first-boot running; fi
}
`;

const everything = sh`
probe_all() {
  init=$(init_name)
  fact seen-as "$(id -u)"
  probe_os; probe_system; probe_programs; probe_engine; probe_firewall; probe_own; probe_first_boot; probe_more
}
`;

/** As the user who logs in: says who that is, then hands the same text to root where no password is needed. */
const stages = sh`
if [ "$1" = elevated ]; then client=$2
else
  set -- first $SSH_CONNECTION
  client=$2
  fact user "$(id -un)"
  fact user-groups "$(id -nG)"
  fact ssh-client "$client"
  fact ssh-port "$5"
fi
if [ "$1" = elevated ] || [ "$(id -u)" = 0 ]; then
  [ "$1" = elevated ] || fact privilege root
  probe_all
elif answer=$(probe_privilege); then
  printf '%s\n' "$answer"
  case $answer in *doas*) become='doas -n' ;; *) become='sudo -k -n' ;; esac
  case $answer in
    *privilege.terminal*)
      export client
      printf '\n\n#begin\n%s\n' "$s" | sh -c ${inTerminal} sh ${`sudo -k -n sh -c ${quoteWord(bootstrap)} sh elevated "$client"`} || probe_all ;;
    *) printf '\n\n#begin\n%s\n' "$s" | $become sh -c ${bootstrap} sh elevated "$client" || probe_all ;;
  esac
else
  printf '%s\n' "$answer"
  probe_all
fi
end
`;

/** In place of what only some callers ask. */
const nothingMore = sh`probe_more() { :; }`;

/** The whole probe. @param more defines the function `probe_more` */
export function probeScript(parameters: ProbeParameters, more: ShellText = nothingMore): ShellText {
  return joinLines(
    scriptPrelude,
    lookingFunctions(parameters.queryMs),
    privilege,
    operatingSystem,
    engine,
    firewall,
    ownTraces,
    firstBoot,
    more,
    everything,
    sh`exec 3>&1; telling=yes`,
    sh`port=${parameters.port ?? 0}`,
    stages,
  );
}

/** For the end of a script that has the looking functions: how the engine stands now, in the probe's own words. */
export const engineProbe = joinLines(operatingSystem, engine, sh`init=$(init_name); probe_engine`);
