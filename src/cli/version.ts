/** The program's version. The build replaces the commit; from sources it is HEAD. */
declare const DOCKER_MACHINE_COMMIT: string | undefined;

export const version = "1.0.0-alpha.1";
export const commit = typeof DOCKER_MACHINE_COMMIT === "string" ? DOCKER_MACHINE_COMMIT : "HEAD";

/** As `version` and `--version` print it. */
export function versionLine(programBase: string): string {
  return `${programBase} version ${version}, build ${commit}`;
}
