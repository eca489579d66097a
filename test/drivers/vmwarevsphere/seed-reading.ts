/** What a guest would read of its seed: from the CD on the datastore, or from the settings of its VM. */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import type { LabState, LabVm } from "./vcsim.ts";

export interface ReadSeed {
  readonly from: "disc" | "settings";
  readonly userData: string;
  readonly metaData: string;
  readonly networkConfig: string | undefined;
}

export function readSeed(state: LabState, vm: LabVm): ReadSeed | undefined {
  const disc = vm.devices.find(
    ({ kind, file = "" }) => kind === "VirtualCdrom" && file.endsWith("docker-machine-seed.iso"),
  )?.file;
  if (disc !== undefined) {
    const files = isoFiles(readFileSync(fileOf(state, disc)));
    return {
      from: "disc",
      userData: files["user-data"] ?? "",
      metaData: files["meta-data"] ?? "",
      networkConfig: files["network-config"],
    };
  }
  const settings = (key: string): string => latest(vm, key);
  if (settings("guestinfo.userdata") === "") return undefined;
  const decoded = (key: string): string => gunzipSync(Buffer.from(settings(key), "base64")).toString("utf8");
  return {
    from: "settings",
    userData: decoded("guestinfo.userdata"),
    metaData: decoded("guestinfo.metadata"),
    networkConfig: undefined,
  };
}

/** The simulator adds where vSphere replaces: the last one counts, which its map of them keeps. */
function latest(vm: LabVm, key: string): string {
  return vm.extraConfig[key] ?? "";
}

export function fileOf({ datastores }: LabState, text: string): string {
  const [, store = "", file = ""] = /^\[([^\]]*)\]\s*(.*)$/u.exec(text) ?? [];
  return path.join(datastores[store] ?? "", file);
}

/** As a reader of ECMA-119 does: volume descriptor, root record, directory. */
function isoFiles(image: Buffer): Readonly<Record<string, string>> {
  const root = image.subarray(16 * 2048 + 156, 16 * 2048 + 190);
  const start = root.readUInt32LE(2) * 2048;
  const directory = image.subarray(start, start + root.readUInt32LE(10));
  const files: Record<string, string> = {};
  for (let at = 0; at < directory.length && directory[at] !== 0; at += directory.readUInt8(at)) {
    const record = directory.subarray(at, at + directory.readUInt8(at));
    if ((record.readUInt8(25) & 2) !== 0) continue;
    const from = record.readUInt32LE(2) * 2048;
    const name = record.toString("latin1", 33, 33 + record.readUInt8(32));
    files[name] = image.toString("utf8", from, from + record.readUInt32LE(10));
  }
  return files;
}
