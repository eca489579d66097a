/**
 * What only a doctor asks of a host, beside the probe's own questions: the shell function `probe_more`, which that calls in
 * the same round trip. Looks, changes nothing, and tells names where values could be secret.
 */
import { lifetimePaths } from "../shell/own-files.ts";
import { sh, type ShellText } from "../shell/shell-text.ts";

export interface HealthQuestions {
  /** Ask the engine's registry whether it could be pulled from: the one question that leaves the host. */
  readonly registry: boolean;
}

export function healthScript({ registry }: HealthQuestions): ShellText {
  return sh`${questions}
ask_registry=${registry ? "yes" : "no"}`;
}

const questions = sh`
probe_more() {
  for folder in / /var/lib/docker; do
    [ -d "$folder" ] && fact inodes "$folder $(df -Pi "$folder" 2> /dev/null | tail -n 1)"
  done
  while read -r device mount type options rest; do
    case $mount in /|/var|/var/lib|/var/lib/docker) case ,$options, in *,ro,*) fact read-only "$mount" ;; esac ;; esac
  done < /proc/self/mounts
  if has timedatectl; then output_fact ntp timedatectl show -p CanNTP -p NTP -p NTPSynchronized; fi
  [ -e /var/run/reboot-required ] && fact reboot-required yes
  [ -e ${lifetimePaths.timer} ] && ! systemctl is-active -q docker-machine-ttl.timer && fact lifetime-stopped yes
  running=$(uname -r)
  if [ -n "$(ls /lib/modules 2> /dev/null)" ] && [ ! -d "/lib/modules/$running" ]; then fact modules-gone "$running"; fi
  probe_engine_health
  probe_network
  probe_selinux
  if has apt-mark; then apt-mark showhold 2> /dev/null | grep -E '^(docker|containerd)' | while IFS= read -r line; do fact held "$line"; done; fi
}

probe_engine_health() {
  active=no
  case $init in
    systemd) systemctl is-active -q docker.service && active=yes
      fact unit-state "$(systemctl show docker.service -p ActiveState -p SubState -p Result 2> /dev/null | tr '\n' ' ')" ;;
    *) [ -n "$pid" ] && active=yes ;;
  esac
  if [ "$active" = no ]; then
    if has journalctl; then output_fact engine-log journalctl -u docker.service -n 30 --no-pager -o cat
    elif [ -r /var/log/docker.log ]; then tail -n 30 /var/log/docker.log | while IFS= read -r line; do fact engine-log "$line"; done; fi
    has iptables && { broken=$(bounded iptables -t nat -S 2>&1 > /dev/null) || fact iptables-broken "$(printf '%s' "$broken" | head -n 1)"; }
  fi
  if [ -S /var/run/docker.sock ]; then fact socket-is "$(stat -c '%U %G %a' /var/run/docker.sock 2> /dev/null)"; fi
  if [ -n "$docker" ] && [ -n "$answered" ]; then
    output_fact engine-api "$docker" version --format '{{.Server.APIVersion}} {{.Server.MinAPIVersion}}'
    output_fact engine-network "$docker" network ls -q --no-trunc
  fi
  if [ "$port" != 0 ]; then
    hex=$(printf '%04X' "$port")
    cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | while read -r slot local remote state rest; do
      [ "$state" = 0A ] && case $local in *":$hex") fact listens "\${local%:*}" ;; esac
    done
    has ss && ss -Hltnp "sport = :$port" 2> /dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | while IFS= read -r line; do fact listener "$line"; done
  fi
  if [ -n "$pid" ] && [ -r "/proc/$pid/environ" ]; then
    tr '\0' '\n' < "/proc/$pid/environ" | sed -n 's/^\([A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]\)=..*/\1/p' | while IFS= read -r line; do fact engine-proxy "$line"; done
  fi
  grep -hiE '^(export )?(https?)_proxy=.' /etc/environment 2> /dev/null | sed 's/^export //; s/=.*//' | while IFS= read -r line; do fact host-proxy "$line"; done
  [ "$ask_registry" = no ] || probe_registry
}

# As the engine would: by its own proxies.
probe_registry() {
  has curl && [ -n "$pid" ] || return 0
  said=$(
    while IFS= read -r line; do export "$line"; done <<END
$(tr '\0' '\n' < "/proc/$pid/environ" | grep -i '^[a-z]*_proxy=')
END
    bounded curl -sS -o /dev/null -w '%{http_code}' https://registry-1.docker.io/v2/ 2>&1
  )
  fact registry "$(printf '%s' "$said" | tail -n 1)"
}

# A policy's modules are folders; the one for containers had another name once.
probe_selinux() {
  [ -r /sys/fs/selinux/enforce ] || return 0
  modules=$(ls /var/lib/selinux/*/active/modules/* /etc/selinux/*/active/modules/* 2> /dev/null)
  if [ -n "$modules" ]; then
    if printf '%s\n' "$modules" | grep -qx 'container\|docker'; then fact selinux-containers yes; else fact selinux-containers no; fi
  fi
  data=$(printf '%s' "$answered" | sed -n 's/.*"DockerRootDir":"\([^"]*\)".*/\1/p')
  [ -z "$data" ] || fact selinux-data "$(stat -c %C "$data" 2> /dev/null)"
}

probe_network() {
  has ip || return 0
  output_fact address ip -4 -o addr show
  output_fact route ip -4 route show
  for device in docker0 $(ip -4 route show default 2> /dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1); do
    [ -r "/sys/class/net/$device/mtu" ] && fact mtu "$device $(cat "/sys/class/net/$device/mtu")"
  done
}
`;
