/** vCenter's simulator as a process of a test's own (`vcsim/main.go`): a world each, which ends with it. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { endProcess } from "../../support/end-process.ts";

const folder = process.env["DOCKER_MACHINE_VCSIM"] ?? path.resolve("build/vcsim");

/** Where the library's sources are, among them vSphere's description as Go types. */
export const librarySources = path.join(folder, "gocode/src/github.com/vmware/govmomi");

/** Why the tests cannot run here; false where they can. */
export const vcsimMissing = existsSync(path.join(folder, "vcsim"))
  ? false
  : "the simulator is not built; sh scripts/vcsim.sh does that where Go and Debian's packages are to be had";

export const user = "alice@vsphere.local";
export const password = "s3cret-of-vsphere";

export interface LabDevice {
  readonly kind: string;
  readonly key: number;
  readonly mac?: string;
  readonly network?: string;
  readonly file?: string;
  readonly capacityKB?: number;
}

export interface LabVm {
  readonly ref: string;
  readonly name: string;
  readonly instanceUuid: string;
  readonly biosUuid: string;
  readonly template: boolean;
  readonly state: string;
  readonly folder: string;
  readonly annotation: string;
  readonly extraConfig: Readonly<Record<string, string>>;
  readonly vmPathName: string;
  readonly cpus: number;
  readonly memoryMB: number;
  readonly devices: readonly LabDevice[];
  /** Custom attributes, by their numbers. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface LabState {
  readonly vms: readonly LabVm[];
  /** `[datastore] folder/file`. */
  readonly files: readonly string[];
  /** Folders on this computer, by name. */
  readonly datastores: Readonly<Record<string, string>>;
}

export interface Vcsim extends AsyncDisposable {
  /** Plain http, for the proxy alone. */
  readonly url: string;
  state(): Promise<LabState>;
  /** What it complained of last. */
  said(): string;
  /** One of the ways in `main.go` beside the API. */
  lab<Answer = unknown>(
    what: "guest" | "vm" | "folder" | "attach" | "datastore" | "field" | "destroy" | "rename" | "space" | "pod",
    wish: object,
  ): Promise<Answer>;
}

export async function startVcsim(model: "vpx" | "esx"): Promise<Vcsim> {
  const child = spawn(path.join(folder, "vcsim"), [model], {
    env: { PATH: "", VCSIM_USER: user, VCSIM_PASSWORD: password, TMPDIR: process.env["TMPDIR"] ?? "/tmp" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => void (said = `${said}${chunk.toString()}`.slice(-4_000)));
  const host = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("error", reject);
    child.once("exit", (status) => reject(new Error(`vcsim ended with status ${status}: ${said}`)));
  });
  const url = `http://${host}`;
  const ask = async <Answer>(what: string, wish: object): Promise<Answer> => {
    const answer = await fetch(`${url}/lab/${what}`, { method: "POST", body: JSON.stringify(wish) });
    if (!answer.ok) throw new Error(`vcsim answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };
  return {
    url,
    state: async () => await ask<LabState>("state", {}),
    said: () => said,
    lab: ask,
    [Symbol.asyncDispose]: async () => await endProcess(child, () => child.stdin.end()),
  };
}
