/** The engine's service, by init system: the commands that drive it and where its words end up. */
import type { InitSystem } from "../facts/facts.ts";
import { sh, type ShellText } from "../shell/shell-text.ts";

export interface EngineService {
  /** How the plan names it. */
  readonly name: string;
  /**
   * Defines the shell functions service_reload, _restart, _stop, _enable (known to the init system after service_reload),
   * _disable, _active, _failed, _words, _startable, which says what a start would lack, and _let_go, which ends what came with
   * the engine and outlives its removal.
   */
  readonly functions: ShellText;
}

const systemd: EngineService = {
  name: "docker.service",
  functions: sh`
service_reload() { systemctl daemon-reload; }
# A socket unit whose socket is gone hands over one that nobody can find; systemd restarts it only without the service.
socket_is_lost() { systemctl is-active -q docker.socket 2> /dev/null && [ ! -S /run/docker.sock ] && [ ! -S /var/run/docker.sock ]; }
service_restart() {
  systemctl reset-failed docker.service docker.socket 2> /dev/null
  if socket_is_lost; then systemctl stop docker.service docker.socket 2> /dev/null; systemctl start docker.socket; fi
  systemctl restart docker.service
}
service_stop() { systemctl stop docker.service docker.socket 2> /dev/null; systemctl stop docker.service; }
service_enabled() { systemctl is-enabled -q docker.service 2> /dev/null; }
service_enable() { systemctl --no-reload enable -q docker.service; }
service_disable() { systemctl disable -q docker.service; }
service_active() { systemctl is-active -q docker.service; }
service_failed() { systemctl is-failed -q docker.service; }
service_startable() {
  shown=$(systemctl show docker.service -p LoadState -p ExecStart 2> /dev/null)
  case $shown in *LoadState=masked*) echo "docker.service is masked"; return 1 ;; esac
  program=$(printf '%s\n' "$shown" | sed -n 's/.*{ path=\([^ ;]*\) ;.*/\1/p' | head -n 1)
  [ -z "$program" ] || [ -x "$program" ] || { echo "docker.service starts $program, which is not there"; return 1; }
  for file in $(printf '%s\n' "$shown" | tr ' ' '\n' |
    awk 'wanted { print; wanted = 0 } /^--tls(cacert|cert|key)$/ { wanted = 1 } sub(/^--tls(cacert|cert|key)=/, "")'); do
    [ -e "$file" ] || { echo "docker.service is told of $file, which is not there"; return 1; }
  done
}
# pacman stops nothing of what it removes, and a unit that runs needs no file to go on.
service_let_go() { [ -n "$(first_of containerd)" ] || ! systemctl is-active -q containerd.service || systemctl stop containerd.service; }
service_words() {
  journalctl -u docker.service -n 40 -o cat --no-pager 2> /dev/null | grep -v '^Dependency failed\|^docker.service:\|^Start' | tail -n 8
}
`,
};

const openrc: EngineService = {
  name: "docker",
  functions: sh`
service_reload() { :; }
engine_lives() { kill -0 "$(cat /run/docker.pid 2> /dev/null)" 2> /dev/null; }
# OpenRC is made to forget a state that is not so, and never an engine that runs: nothing would stop that one any more.
service_restart() {
  rc-service docker restart && return 0
  engine_lives && return 1
  rc-service docker zap
  rc-service docker start
}
service_stop() { rc-service docker stop; }
service_enabled() { rc-update show default 2> /dev/null | grep -q '^ *docker '; }
service_enable() { rc-update -q add docker default; }
service_disable() { rc-update -q del docker default; }
service_active() { rc-service docker status > /dev/null 2>&1; }
service_failed() { rc-service docker status 2>&1 | grep -q crashed; }
service_startable() { :; }
service_let_go() { :; }
service_words() { tail -n 8 /var/log/docker.log 2> /dev/null; }
`,
};

const upstart: EngineService = {
  name: "docker",
  functions: sh`
service_reload() { :; }
service_restart() { stop docker > /dev/null 2>&1; start docker; }
service_stop() { stop docker; }
service_enabled() { ! grep -qs '^manual' /etc/init/docker.override; }
service_enable() { :; }
service_disable() { :; }
service_active() { initctl status docker 2> /dev/null | grep -q running; }
service_failed() { initctl status docker 2> /dev/null | grep -q stop/waiting; }
service_startable() { :; }
service_let_go() { :; }
service_words() { tail -n 8 /var/log/upstart/docker.log 2> /dev/null; }
`,
};

const sysv: EngineService = {
  name: "docker",
  functions: sh`
service_reload() { :; }
service_restart() { /etc/init.d/docker restart; }
service_stop() { /etc/init.d/docker stop; }
service_enabled() { ls /etc/rc[2345].d/S*docker > /dev/null 2>&1; }
service_enable() { if has update-rc.d; then update-rc.d docker defaults; elif has chkconfig; then chkconfig docker on; fi; }
service_disable() { if has update-rc.d; then update-rc.d docker disable; elif has chkconfig; then chkconfig docker off; fi; }
service_active() { [ -s /var/run/docker.pid ] && kill -0 "$(cat /var/run/docker.pid)" 2> /dev/null; }
service_failed() { return 1; }
service_startable() { :; }
service_let_go() { :; }
service_words() { tail -n 8 /var/log/docker.log /var/lib/boot2docker/docker.log 2> /dev/null; }
`,
};

/** boot2docker's own init script knows nothing of run levels: the ISO starts the engine at every boot. */
export const boot2dockerService: EngineService = {
  name: "docker",
  functions: sh`
${sysv.functions}
service_enabled() { :; }
service_enable() { :; }
service_disable() { :; }
`,
};

const services: Readonly<Record<Exclude<InitSystem, "none">, EngineService>> = { systemd, openrc, upstart, sysv };

export function serviceFor(init: InitSystem): EngineService {
  return services[init === "none" ? "sysv" : init];
}
