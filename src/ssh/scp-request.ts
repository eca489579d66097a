import type { SshTarget } from "./executor.ts";

export interface CopyEndpoint {
  /** A machine, with the user to log in as; undefined = this computer. */
  readonly target: SshTarget | undefined;
  /** On a machine relative to the user's home; "" = the home itself. */
  readonly path: string;
}

export interface CopyRequest {
  readonly source: CopyEndpoint;
  readonly destination: CopyEndpoint;
  readonly recursive: boolean;
  /** Send only differences, with rsync. */
  readonly delta: boolean;
  /** No progress, no warnings. */
  readonly quiet: boolean;
  /** Use scp's old protocol, which lets a machine name the files that it sends; OpenSSH's back end only. */
  readonly legacy?: boolean | undefined;
  /** Keep exact modes and times. */
  readonly preserve?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
