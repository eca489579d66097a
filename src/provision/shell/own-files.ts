/** The files on a host that are ours by their name. */
export const dropInFolder = "/etc/systemd/system/docker.service.d";

/** 0.16.2's name; the other one where a drop-in that sorts later would undo ours. */
export const dropInNames = ["10-machine.conf", "zz-machine.conf"] as const;

/** Assignments of the engine's environment that hold secrets: a unit and its settings can be read by everyone. */
export const secretEnvironmentPath = "/etc/docker/machine.env";

export function isOwnDropIn(path: string): boolean {
  return dropInNames.some((name) => path === `${dropInFolder}/${name}`);
}
