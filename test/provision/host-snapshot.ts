/** What is on a host that provisioning could change, as lines that can be compared. */
import type { LabHost } from "../lab/lab.ts";

export interface HostSnapshot {
  /** Every file outside /var, apk's database and the engine's data: path → what tells whether it changed. */
  readonly files: ReadonlyMap<string, string>;
  readonly packages: readonly string[];
  /** Enabled and running units, or services of OpenRC's. */
  readonly units: readonly string[];
  /** All containers with their state and, of those that run, the process and the time it started. */
  readonly containers: readonly string[];
  readonly hostName: string;
}

/** Settings by their content, programs by size and time: nobody rewrites those in place. Busybox's find prints nothing of it. */
const listFiles = `
{ /usr/bin/find /etc /root /home /var/lib/docker-machine -xdev -type f ! -path /etc/docker/key.json -printf '%m %u %p\\n' -exec cksum {} +
  /usr/bin/find /usr /opt -xdev -type f ! -path '*/__pycache__/*' ! -path '/usr/lib/apk/db/*' -printf '%s %T@ %m %u %p\\n'
} 2> /dev/null; true`;

/** In the words of the host's own package manager; keys that RPM trusts are packages to it. */
const listPackages = `
if command -v dpkg-query > /dev/null; then dpkg-query -W -f '\${Package} \${Version} \${Status}\\n'
elif command -v rpm > /dev/null; then rpm -qa
elif command -v pacman > /dev/null; then pacman -Q
else apk info -v
fi | sort`;

export async function takeSnapshot(host: LabHost): Promise<HostSnapshot> {
  const lines = async (script: string): Promise<string[]> => (await host.sh(script)).split("\n").filter((line) => line !== "");
  const files = new Map<string, string>();
  for (const line of await lines(listFiles)) {
    const match = /^(.*?) (\/.*)$/u.exec(line);
    const [, fact = "", path = ""] = match ?? [];
    files.set(path, `${files.get(path) ?? ""} ${fact}`);
  }
  if (files.size === 0) throw new Error(`No file of ${host.name} was listed`);
  return {
    files,
    packages: await lines(listPackages),
    units: [
      ...(await lines("if command -v rc-update > /dev/null; then rc-update show; ls /run/openrc/started; fi")),
      ...(await lines("systemctl list-unit-files --no-legend --plain --state=enabled | cut -d ' ' -f 1 | sort")),
      ...(await lines(
        "systemctl list-units --no-legend --plain --type=service --state=running | cut -d ' ' -f 1 | grep -v -e '^user@' -e '^session' | sort",
      )),
    ],
    containers: await lines(
      "docker ps -aq --no-trunc 2> /dev/null | sort | xargs -r docker inspect -f '{{.Id}} {{.State.Status}} {{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}'",
    ),
    hostName: await host.sh("cat /etc/hostname; uname -n"),
  };
}

/** Paths that are new, gone or other. */
export function changedFiles(before: HostSnapshot, after: HostSnapshot): readonly string[] {
  const paths = new Set([...before.files.keys(), ...after.files.keys()]);
  return [...paths].filter((path) => before.files.get(path) !== after.files.get(path)).toSorted();
}

/** Everything but files. */
export function withoutFiles({ packages, units, containers, hostName }: HostSnapshot): Omit<HostSnapshot, "files"> {
  return { packages, units, containers, hostName };
}
