/**
 * Commands on a machine. Two implementations answer to this: the OpenSSH client with one multiplexed connection, and
 * ssh2 in process. Whoever gets an executor knows nothing of keys, addresses or drivers.
 */
import type { Duplex } from "node:stream";

/** How a host proves who it is. The machine's pinned keys decide; the rest is for first contact only. */
export interface HostKeyPolicy {
  /** OpenSSH known_hosts file of this one machine, in its folder of the store. Created on first contact. */
  readonly knownHostsFile: string;
  /** Name under which keys stand in that file, independent of the address: an address may change. */
  readonly alias: string;
  /** `SHA256:…` fingerprint the user expects on first contact. */
  readonly expectedFingerprint?: string | undefined;
  /** The user's own known_hosts, asked on first contact; absent for machines that we made. */
  readonly userKnownHostsFiles?: readonly string[] | undefined;
  /** Pinned keys of other machines, asked on first contact with what the user's own files do not know: one box may be several machines. */
  readonly othersPins?: (() => Promise<readonly OthersPins[]>) | undefined;
  /** What to do on first contact when nothing is known: pin and report, or refuse. */
  readonly unknown: "trust-first-use" | "refuse";
}

export interface OthersPins {
  readonly machine: string;
  readonly knownHostsFile: string;
  /** It is reached at the same place: what answers there has to show one of its keys. */
  readonly isSameBox: boolean;
}

export interface SshTarget {
  readonly hostName: string;
  readonly port: number;
  readonly userName: string;
  /** Private key; undefined = the ssh agent and the user's default keys. */
  readonly identityFile?: string | undefined;
  /** Entry of the user's ssh_config; OpenSSH back end only. Address, port and user then come from there unless set. */
  readonly configHost?: string | undefined;
  readonly hostKeys: HostKeyPolicy;
  /** Bound on reaching the server and authenticating. */
  readonly connectTimeoutMs: number;
}

export interface SshRunOptions {
  /** Fed to the command's standard input, which is closed afterwards. */
  readonly stdin?: string | Uint8Array | undefined;
  /** Bound on the whole call, connecting included. The remote process may go on: only our end of it is closed. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  readonly onStderr?: ((chunk: Buffer) => void) | undefined;
}

export interface SshResult {
  /**
   * The remote exit status. When signal n ended the command it is 128 + n with the native back end; the OpenSSH client
   * does not tell which signal it was, so there it is 255, as at a shell prompt.
   */
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Streams of an interactive or piped session; binary-clean. */
export interface SshSessionOptions {
  /** Undefined = a login shell. */
  readonly command: string | undefined;
  /**
   * Flags of the OpenSSH client as the user typed them (`-L 8080:localhost:80`), see `parseSshWords`. Such a session has
   * its own connection and says itself what goes wrong. The native back end refuses them with `usage`.
   */
  readonly sshFlags?: readonly string[] | undefined;
  /** Ask for a terminal: yes where there is one here (`-t`), in any case (`-tt`), no (`-T`), or only for a login shell. */
  readonly terminal: "yes" | "force" | "no" | "auto";
  readonly signal?: AbortSignal | undefined;
}

export interface SshExecutor extends AsyncDisposable {
  /** Connects and logs in, if that has not been done. Throws as {@link run} does before the command is sent. */
  connect(signal?: AbortSignal): Promise<void>;
  /**
   * Runs one command line in the user's shell. A status other than 0 is no error. Connects if there is no connection,
   * or none any more; a command is never sent twice. Throws `ssh-unreachable`, `ssh-authentication`,
   * `ssh-key-unusable`, `host-key-mismatch`, `ssh-closed` (also where the server ends the command and does not tell how),
   * `timeout`, or the signal's reason.
   */
  run(command: string, options?: SshRunOptions): Promise<SshResult>;
  /** Connects this process's own standard streams to a remote command or shell; gives the remote exit status. */
  session(options: SshSessionOptions): Promise<number>;
  /**
   * The standard input and output of one command, for as long as either side wants. Standard error is discarded. Throws as
   * {@link run} does before the command is sent. Absent where the way to the machine carries whole commands alone.
   */
  openStream?(command: string, signal?: AbortSignal): Promise<Duplex>;
  /**
   * Makes a Unix socket of this computer, in a folder that only the user may enter, lead to one of the machine until this
   * executor is closed or this process is gone, and gives its path: each connection is a channel of the one SSH connection.
   * Whether the server forwards, and whether somebody listens there, a connection tells: it is closed at once where not. Throws
   * as {@link connect} does. Absent as {@link openStream}.
   */
  forwardSocket?(remotePath: string, signal?: AbortSignal): Promise<string>;
  /** Number of SSH commands run so far: the round trips that `npm run bench` counts. */
  readonly roundTrips: number;
  /** Ends the connection, multiplexing master included. Idempotent. */
  close(): Promise<void>;
}

/** Which back end: `--native-ssh` chooses ssh2; OpenSSH is the default where `ssh` is installed. */
export type SshBackend = "openssh" | "native";
