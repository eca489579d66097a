/** Service definitions for an engine that comes without one: static binaries, or dockerd copied there by hand. */
import { environmentWord, execWord } from "./systemd-unit.ts";

export const ownSystemdUnitPath = "/etc/systemd/system/docker.service";

/** KillMode=process and Delegate=yes leave containers to their shims, so that they outlive a restart. */
export function systemdUnit(program: string): string {
  return `[Unit]
Description=Docker Engine
Documentation=https://docs.docker.com
After=network-online.target firewalld.service
Wants=network-online.target

[Service]
Type=notify
ExecStart=${execWord(program)}
ExecReload=/bin/kill -s HUP $MAINPID
Environment=${environmentWord("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")}
TimeoutStartSec=0
Restart=on-failure
RestartSec=2
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
Delegate=yes
KillMode=process
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`;
}

export const ownOpenrcScriptPath = "/etc/init.d/docker";

/** supervise-daemon is OpenRC's own: it brings the engine back when it ends, and stops it without its containers. */
export function openrcScript(program: string): string {
  return `#!/sbin/openrc-run
name="Docker Engine"
supervisor="supervise-daemon"
command="${program}"
command_args="\${DOCKER_OPTS}"
output_log="/var/log/docker.log"
error_log="/var/log/docker.log"
respawn_delay=2
respawn_max=5
retry="TERM/60/KILL/10"
rc_ulimit="-n 1048576"
extra_started_commands="reload"

depend() {
	need localmount sysfs cgroups
	use net
	after bootmisc firewall
}

reload() {
	kill -HUP "$(cat /run/docker.pid)"
}
`;
}
