/** The files on a host that are ours by their name. */
export const dropInFolder = "/etc/systemd/system/docker.service.d";

/** 0.16.2's name; the other one where a drop-in that sorts later would undo ours. */
export const dropInNames = ["10-machine.conf", "zz-machine.conf"] as const;

/** Assignments of the engine's environment that hold secrets: a unit and its settings can be read by everyone. */
export const secretEnvironmentPath = "/etc/docker/machine.env";

/** What ends a machine's time. */
export const lifetimePaths = {
  script: "/etc/docker-machine/ttl.sh",
  service: "/etc/systemd/system/docker-machine-ttl.service",
  timer: "/etc/systemd/system/docker-machine-ttl.timer",
  cronEntry: "/etc/cron.d/docker-machine-ttl",
  /** busybox's table of root, which is its owner's: a block of it is ours. */
  crontab: "/etc/crontabs/root",
} as const;

export function isOwnDropIn(path: string): boolean {
  return dropInNames.some((name) => path === `${dropInFolder}/${name}`);
}

/**
 * A drop-in as 0.16.2 writes it, over ours or before: one command line for every system, whatever the engine's own was,
 * and a line of its environment, be it empty.
 */
export function isFormerDropIn(text: string): boolean {
  const command =
    /^ExecStart=\S+ (?:daemon )?-H tcp:\/\/0\.0\.0\.0:\d+ -H unix:\/\/\/var\/run\/docker\.sock --storage-driver \S* ?--tlsverify /mu;
  return command.test(text) && /^Environment=/mu.test(text);
}

/** Where the text of a file of ours is kept that someone edited by hand. systemd reads no such name. */
export function editedPath(path: string): string {
  return `${path}.edited`;
}
