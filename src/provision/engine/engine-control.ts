/**
 * Shell functions that restart an engine and keep its containers alive: live-restore goes on by a reload before the
 * old engine ends, stands in daemon.json while the new one starts (else it would stop what it finds), and goes off
 * again. Follow the changing functions.
 */
import { daemonJsonPath, withLiveRestore } from "./daemon-json.ts";
import type { Survival } from "./survival.ts";
import type { EngineService } from "./engine-service.ts";
import { hereDocument, joinLines, sh, ShellText } from "../shell/shell-text.ts";

export interface EngineControl {
  readonly label: string;
  readonly service: EngineService;
  readonly survival: Survival;
  /** Undefined = the engine has no TCP port of ours when it is up. */
  readonly port: number | undefined;
  readonly startSeconds: number;
  /** daemon.json as it was found, and as it will be. */
  readonly daemonJson: { readonly old: string | undefined; readonly new: string | undefined };
}

export function engineControl(control: EngineControl): ShellText {
  return joinLines(
    control.service.functions,
    sh`
docker=$(first_of docker)
DOCKER_HOST=unix:///var/run/docker.sock; export DOCKER_HOST
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_TLS
survival=${control.survival.kind}
port_hex=${control.port !== undefined && control.port.toString(16).toUpperCase().padStart(4, "0")}
start_seconds=${control.startSeconds}
answered_version=`,
    daemonJsonVariants("old", control.daemonJson.old, control.label),
    daemonJsonVariants("new", control.daemonJson.new, control.label),
    watching(control.label),
    restarting(control.label),
  );
}

function write(content: string): ShellText {
  return sh`cat > ${daemonJsonPath} ${hereDocument(content)}`;
}

/** daemon.json while the engine restarts, right after that, and in the end. */
function daemonJsonVariants(name: "old" | "new", text: string | undefined, label: string): ShellText {
  const define = (suffix: string, body: ShellText): ShellText => sh`${new ShellText(`json_${name}_${suffix}`)}() {
${body}
}`;
  return joinLines(
    define("during", write(withLiveRestore(text, true, label))),
    define("after", write(withLiveRestore(text, false, label))),
    define("final", text === undefined ? sh`rm -f ${daemonJsonPath}` : write(text)),
  );
}

const watching = (label: string): ShellText => sh`
engine_answers() { [ -z "$docker" ] || answered_version=$(bounded "$docker" version --format '{{.Server.Version}}' 2> /dev/null); }
tell_engine_version() {
  [ -z "$answered_version" ] || { fact server-version "$answered_version"; return 0; }
  program=$(first_of dockerd dockerd-current /usr/lib/coreos/dockerd /usr/libexec/docker/dockerd)
  [ -z "$program" ] || output_fact engine-version "$program" --version
}
engine_listens() { [ -z "$port_hex" ] || grep -q "^ *[0-9]*: [0-9A-F]*:$port_hex [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6 2> /dev/null; }
engine_is_up() { service_active && engine_listens && engine_answers; }
wait_for_engine() {
  deadline=$(($(date +%s) + start_seconds))
  until engine_is_up; do
    service_failed && return 1
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    nap
  done
}
live_restore_is() { [ "$(bounded "$docker" info --format '{{.LiveRestoreEnabled}}' 2> /dev/null)" = "$1" ]; }
reload_engine() {
  kill -HUP "$(cat /run/docker.pid 2> /dev/null || cat /var/run/docker.pid)" || return 1
  deadline=$(($(date +%s) + start_seconds))
  until live_restore_is "$1"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    nap
  done
}
# Without the tasks of swarm mode: the swarm itself puts others in their place.
running_containers() {
  [ -n "$docker" ] || return 0
  bounded "$docker" ps --no-trunc --format '{{.ID}} {{.Label "com.docker.swarm.task.id"}}' 2> /dev/null |
    while read -r id task; do [ -n "$task" ] || echo "$id"; done
}
# The words of a container that is gone or stands still are for the reader.
start_again() {
  for id in $1; do
    [ "$("$docker" inspect -f '{{.State.Running}}' "$id" 2> /dev/null)" = true ] && continue
    "$docker" start "$id" > /dev/null 2>&1 || note warn "A container that ran before does not run any more on "${label}": $id"
  done
}
`;

const restarting = (label: string): ShellText => sh`
hold_containers() {
  [ "$survival" = live-restore-for-the-restart ] || return 0
  make_folder /etc/docker
  keep ${"/etc/docker/daemon.json"}
  json_new_during && reload_engine true && return 0
  hint "Stop the containers on the machine, or switch live-restore on there, and run the command again."
  fail engine-config-conflict ${`The engine on ${label} cannot keep its containers running through a restart: it does not take live-restore`}
}
release_containers() {
  [ "$survival" = live-restore-for-the-restart ] || return 0
  "json_$1_after"; reload_engine false; "json_$1_final"
}
# start_engine new|old: with the settings as they are now.
start_engine() {
  engine_touched=yes
  service_restart 2>&1
  wait_for_engine || return 1
  release_containers "$1"
}
# What an engine consists of, whatever brought it there.
engine_programs() {
  for program in dockerd containerd docker-containerd runc docker-runc docker-init docker-proxy; do
    file=$(first_of "$program") && [ -n "$file" ] && cksum "$file"
  done
}
# The engine that runs is the one that is installed: an earlier run may have been cut off between the two.
engine_is_current() {
  running=; installed=
  engine_is_up || return 1
  running=$answered_version
  installed=$("$(first_of dockerd dockerd-current)" --version 2> /dev/null)
  case $installed in *" $running,"*) return 0 ;; *) return 1 ;; esac
}
# Where the service manager refused the restart, the engine of before still answers.
start_installed_engine() {
  start_engine new || return 1
  engine_is_current || [ -z "$running" ] || [ -z "$installed" ] || { start_engine new && engine_is_current; }
}
# A restart that is needed, or its absence.
restart_engine() {
  before=$(running_containers)
  service_reload
  if ! lacking=$(service_startable); then
    hint "Put that right on the machine. Nothing was changed: an engine that runs goes on."
    fail engine-config-conflict "The engine on "${label}" would not start: $lacking"
  fi
  hold_containers
  if ! start_engine new; then
    service_words | why
    if service_words | grep -q 'specified both as a flag and in the configuration file'; then
      fail engine-config-conflict ${`The engine on ${label} does not start: its settings contradict each other`}
    fi
    hint "Everything was put back as it was. The words above are the engine's own; more are in its log on the machine."
    fail engine-start ${`The engine on ${label} does not start`}
  fi
  start_again "$before"
}
# After a failure: files as they were, and an engine that ran runs again.
restore_engine() {
  [ "$engine_was_enabled" = yes ] || service_disable
  undo_run
  service_reload
  if [ "$engine_was_active" != yes ]; then [ "$engine_touched" = yes ] && service_stop > /dev/null 2>&1; return 0; fi
  port_hex=
  if [ "$engine_touched" != yes ]; then
    [ "$survival" = live-restore-for-the-restart ] && { json_old_after; reload_engine false; json_old_final; }
    return 0
  fi
  [ "$survival" = live-restore-for-the-restart ] && json_old_during
  start_engine old && start_again "$before"
}
# It is made to start with the machine before it starts now: systemd reads both at once.
enable_engine() {
  service_enabled && return 0
  engine_was_enabled=no
  service_enable && remember unit-enabled docker
}
engine_touched=no
engine_was_enabled=yes
engine_was_active=no
service_active && engine_was_active=yes
`;
