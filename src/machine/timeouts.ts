/**
 * Bounds of every wait, as data: each has a name, a default and, on the command line, a variable `MACHINE_TIMEOUT_NAME`.
 * `docs/timeouts.md` describes them in this order.
 */

export const timeoutTable = {
  /** For a new instance to report that it runs, a stopped one that it stands still. */
  runningMs: { variable: "RUNNING", defaultMs: 180_000 },
  /** For an SSH server to answer after the instance runs. */
  sshMs: { variable: "SSH", defaultMs: 180_000 },
  /** For one SSH connection attempt. */
  sshConnectMs: { variable: "SSH_CONNECT", defaultMs: 10_000 },
  /** For the engine to answer over TLS after it was configured. */
  engineMs: { variable: "ENGINE", defaultMs: 60_000 },
  /** For one TLS handshake or engine request. */
  engineRequestMs: { variable: "ENGINE_REQUEST", defaultMs: 20_000 },
  /** For another docker-machine process to give up a lock. */
  lockMs: { variable: "LOCK", defaultMs: 600_000 },
  /** For a provider to tell a state, or which instances there are. */
  stateMs: { variable: "STATE", defaultMs: 60_000 },
  /** For a driver to create, start, stop or remove an instance, downloads included. */
  driverMs: { variable: "DRIVER", defaultMs: 3_600_000 },
  /** For one operation at a provider, as making an instance, that a driver waits for. */
  providerOperationMs: { variable: "PROVIDER_OPERATION", defaultMs: 900_000 },
  /** For one request to a provider's API and its answer. */
  providerRequestMs: { variable: "PROVIDER_REQUEST", defaultMs: 60_000 },
  /** For undoing an interrupted create. */
  rollbackMs: { variable: "ROLLBACK", defaultMs: 120_000 },
  /** For a command that prints a secret, or a keychain. */
  secretMs: { variable: "SECRET", defaultMs: 30_000 },
  /** For looking at a host. */
  probeMs: { variable: "PROBE", defaultMs: 60_000 },
  /** For one question to a program of the host. */
  queryMs: { variable: "QUERY", defaultMs: 20_000 },
  /** For a package manager to tell what an installation would change. */
  firstBootMs: { variable: "FIRST_BOOT", defaultMs: 900_000 },
  forecastMs: { variable: "FORECAST", defaultMs: 120_000 },
  /** For downloading and installing packages, waiting for the package manager's lock included. */
  installMs: { variable: "INSTALL", defaultMs: 1_800_000 },
  /** For writing the engine's configuration and restarting it. */
  configureMs: { variable: "CONFIGURE", defaultMs: 300_000 },
  /** For another process on the host to give the package manager's lock back. */
  packageLockMs: { variable: "PACKAGE_LOCK", defaultMs: 300_000 },
  /** From the engine's start until it listens. */
  engineStartMs: { variable: "ENGINE_START", defaultMs: 60_000 },
  /** From the boot of a machine whose deadline has passed until it is powered off; half of it before, it warns. */
  ttlGraceMs: { variable: "TTL_GRACE", defaultMs: 600_000 },
  /** For a plugin to print its address. */
  pluginStartMs: { variable: "PLUGIN_START", defaultMs: 10_000 },
  /** For the connection to a plugin and its first answer. */
  pluginConnectMs: { variable: "PLUGIN_CONNECT", defaultMs: 10_000 },
  /** For a plugin to answer a question. */
  pluginAnswerMs: { variable: "PLUGIN_ANSWER", defaultMs: 60_000 },
  /** For a plugin to answer a heartbeat. */
  pluginHeartbeatMs: { variable: "PLUGIN_HEARTBEAT", defaultMs: 30_000 },
  /** For a plugin to end after it was told to. */
  pluginEndMs: { variable: "PLUGIN_END", defaultMs: 2_000 },
} as const satisfies Record<string, { readonly variable: string; readonly defaultMs: number }>;

export type TimeoutName = keyof typeof timeoutTable;

/** All in milliseconds. */
export type Timeouts = { readonly [Name in TimeoutName]: number };

export const timeoutNames = Object.keys(timeoutTable) as readonly TimeoutName[];

export const defaultTimeouts = Object.fromEntries(timeoutNames.map((name) => [name, timeoutTable[name].defaultMs])) as Timeouts;
