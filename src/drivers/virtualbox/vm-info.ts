/**
 * What VBoxManage says of one virtual machine: `showvminfo --machinereadable`. No I/O.
 *
 * Lines of `key=value`, `key="value"` and `"key"="value"`; within quotes a backslash stands before quotes and itself, and
 * line ends are as they are, so the text is read as a whole. Some lines have no `=`.
 */
import type { MachineState } from "../../driver-kit/state.ts";

export interface NatForward {
  readonly name: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

export interface Attachment {
  readonly controller: string;
  readonly port: number;
  readonly device: number;
  /** Path of the file. */
  readonly medium: string;
}

export interface VmInfo {
  readonly uuid: string;
  readonly name: string;
  /** Of its settings, `…/NAME.vbox`. */
  readonly settingsFile: string;
  readonly logFolder: string;
  /** VirtualBox's word, `poweroff`. */
  readonly state: string;
  readonly cpus: number;
  /** MB. */
  readonly memory: number;
  readonly attachments: readonly Attachment[];
  readonly forwards: readonly NatForward[];
  /** Of the second card; "" where it has none of the kind. */
  readonly hostOnlyName: string;
  /** Of the second card, twelve digits. */
  readonly hostOnlyMac: string;
}

export function parseVmInfo(text: string): VmInfo {
  const values = parsePairs(text);
  const value = (key: string): string => values.get(key) ?? "";
  return {
    uuid: value("UUID"),
    name: value("name"),
    settingsFile: value("CfgFile"),
    logFolder: value("LogFldr"),
    state: value("VMState"),
    cpus: Number(value("cpus")),
    memory: Number(value("memory")),
    attachments: attachmentsIn(values),
    forwards: [...values].flatMap(([key, rule]) => (key.startsWith("Forwarding(") ? forwardOf(rule) : [])),
    hostOnlyName: value("hostonlyadapter2") || value("hostonly-network2"),
    hostOnlyMac: value("macaddress2"),
  };
}

const pair = /^(?:"((?:[^"\\]|\\.)*)"|([^"=\s][^=\n]*?))=(?:"((?:[^"\\]|\\.)*)"|([^\n]*?))\r?$/gmsu;

export function parsePairs(text: string): ReadonlyMap<string, string> {
  const unescape = (quoted: string): string => quoted.replaceAll(/\\(["\\])/gu, "$1");
  return new Map(
    [...text.matchAll(pair)].map(([, quotedKey, key = "", quoted, value = ""]) => [
      quotedKey === undefined ? key : unescape(quotedKey),
      quoted === undefined ? value : unescape(quoted),
    ]),
  );
}

/** `"SATA-0-0"="/path"`, by the names of the controllers. */
function attachmentsIn(values: ReadonlyMap<string, string>): readonly Attachment[] {
  const controllers = [...values].flatMap(([key, name]) => (/^storagecontrollername\d+$/u.test(key) ? [name] : []));
  return controllers.flatMap((controller) =>
    [...values].flatMap(([key, medium]) => {
      const [, port, device] = key.startsWith(`${controller}-`)
        ? (/^-(\d+)-(\d+)$/u.exec(key.slice(controller.length)) ?? [])
        : [];
      if (port === undefined || medium === "none" || medium === "emptydrive") return [];
      return [{ controller, port: Number(port), device: Number(device), medium }];
    }),
  );
}

function forwardOf(rule: string): readonly NatForward[] {
  const [name = "", , , hostPort, , guestPort] = rule.split(",");
  return [{ name, hostPort: Number(hostPort), guestPort: Number(guestPort) }];
}

/** VirtualBox's words, as `VMState` has them; any other is an error. */
const states: Readonly<Record<string, MachineState>> = {
  running: "Running",
  livesnapshotting: "Running",
  onlinesnapshotting: "Running",
  teleporting: "Running",
  paused: "Paused",
  saved: "Saved",
  "aborted-saved": "Saved",
  poweroff: "Stopped",
  aborted: "Stopped",
  teleported: "Stopped",
  starting: "Starting",
  restoring: "Starting",
  settingup: "Starting",
  stopping: "Stopping",
  saving: "Stopping",
};

export function stateOf({ state }: VmInfo): MachineState {
  return states[state] ?? "Error";
}
