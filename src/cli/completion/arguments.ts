/** What the arguments of each command are, for completion. */

export type ArgumentKind =
  | "none"
  /** One machine. */
  | "machine"
  /** One machine, then a program of this computer. */
  | "with"
  /** Any number of machines. */
  | "machines"
  /** A machine and a path on it, or a path here. */
  | "machine-path"
  /** A machine's folder, then a folder here. */
  | "mount"
  /** One file of this computer. */
  | "file"
  | "driver"
  | "command"
  | "shell"
  /** Any number of shells that load completions from a folder. */
  | "shells";

/** By the full name of the command; `completion.test.ts` keeps it complete. */
export const argumentKinds: Readonly<Record<string, ArgumentKind>> = {
  active: "none",
  config: "machine",
  "config set": "machine",
  "config relocate": "machines",
  create: "none",
  env: "machine",
  inspect: "machine",
  ip: "machines",
  kill: "machines",
  ls: "none",
  provision: "machines",
  "regenerate-certs": "machines",
  restart: "machines",
  rm: "machines",
  ssh: "machine",
  scp: "machine-path",
  mount: "mount",
  start: "machines",
  status: "machine",
  stop: "machines",
  upgrade: "machines",
  url: "machine",
  version: "machine",
  plan: "machines",
  apply: "machines",
  drift: "machines",
  destroy: "none",
  schema: "none",
  label: "machines",
  exec: "machines",
  with: "with",
  doctor: "machines",
  "context create": "machines",
  "context use": "machine",
  "context rm": "machines",
  "ssh-config": "machines",
  ttl: "machines",
  protect: "machines",
  unprotect: "machines",
  gc: "none",
  edit: "machines",
  rename: "machine",
  wait: "machines",
  port: "machine",
  logs: "machine",
  console: "machine",
  export: "machines",
  import: "file",
  share: "machines",
  "share accept": "none",
  "share ls": "machines",
  "share request": "none",
  store: "none",
  "store init": "none",
  "store join": "none",
  "store invite": "none",
  "store add": "none",
  "store remove": "none",
  "store push": "machines",
  "store pull": "machines",
  "store log": "machine",
  "store check": "none",
  "store leave": "none",
  unshare: "machine",
  "ssh-host-key": "machine",
  completion: "shell",
  "completion install": "shells",
  "cache ls": "none",
  "cache prune": "none",
  "settings path": "none",
  "settings edit": "none",
  "settings check": "none",
  "driver ls": "none",
  "driver inspect": "driver",
  "driver serve": "driver",
  "driver new": "none",
  help: "command",
  // The wrapper's own.
  use: "machine",
};
