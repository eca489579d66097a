/** The user on a machine as whom guests log in, and what is theirs there; removed with the last of them. */
import { statePaths } from "./state-paths.ts";

export const guestUser = "docker-machine";

/** Not below the other state: that is root's alone, and sshd reads the keys as the user. */
const home = "/var/lib/docker-machine-share";

export const guestPaths = {
  home,
  /** A file a person: `UNTIL MODE FINGERPRINT SINCE`, times in seconds since 1970. */
  people: `${home}/people`,
  keys: `${home}/.ssh/authorized_keys`,
  lockFolder: statePaths.folder,
} as const;
