/**
 * What the library reports while it works. The layers below the command line never print: they report one of these,
 * and the command line (plain lines, live view or NDJSON) decides how it looks. 0.16.2's own lines are events of
 * their own, so that their text is written in one place, `cli/output/render-event.ts`.
 */
export type LogLevel = "debug" | "info" | "warn" | "error";

export type ProgressEvent =
  /** Free text. `machine` is given by whoever speaks for one machine's driver: the line then bears its name. */
  | { readonly type: "log"; readonly level: LogLevel; readonly text: string; readonly machine?: string | undefined }
  /** A file is being written by a certificate authority that did not exist. */
  | { readonly type: "creating-ca"; readonly path: string }
  | { readonly type: "creating-client-certificate"; readonly path: string }
  | { readonly type: "pre-create-check" }
  | { readonly type: "creating-instance" }
  | { readonly type: "waiting-for-running" }
  | { readonly type: "waiting-for-ssh" }
  /** First contact with a host: its key was pinned, and why it is believed. It may be a machine's, too. */
  | {
      readonly type: "host-key-pinned";
      readonly host: string;
      readonly fingerprint: string;
      readonly trust: "injected" | "expected" | "known-hosts" | "other-machine" | "first-use";
      readonly sameAs?: string | undefined;
    }
  | { readonly type: "detecting-os" }
  | { readonly type: "detecting-provisioner" }
  | { readonly type: "provisioning"; readonly provisioner: string }
  | { readonly type: "preparing-certificates" }
  | { readonly type: "installing-engine"; readonly source: string; readonly version?: string | undefined }
  | { readonly type: "copying-certificates" }
  | { readonly type: "configuring-engine" }
  | { readonly type: "opening-firewall"; readonly firewall: string; readonly port: number }
  | { readonly type: "configuring-swarm" }
  | { readonly type: "checking-engine" }
  | { readonly type: "engine-ready" }
  /** What a fleet's file means for a machine, before anything is done. */
  | {
      readonly type: "machine-planned";
      readonly action: string;
      readonly reason: string;
      readonly changes: readonly {
        readonly key: string;
        readonly from: string | null;
        readonly to: string | null;
        readonly effect: string;
      }[];
    }
  /** A machine is as a fleet's file says, by this action. */
  | { readonly type: "machine-applied"; readonly action: string }
  /** Bytes of a long copy or download; `totalBytes` is absent while unknown. */
  | { readonly type: "transfer"; readonly what: string; readonly doneBytes: number; readonly totalBytes?: number | undefined }
  /** A named part of the work began or ended; for views that show times. */
  | { readonly type: "phase-started"; readonly phase: string }
  | { readonly type: "phase-finished"; readonly phase: string; readonly durationMs: number };
