/**
 * A moto of a test's own (`moto-server.py`): started on a free port, asked for what it was asked, told to fail, ended with the
 * test's process.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { endProcess } from "../../support/end-process.ts";

const packages = process.env["DOCKER_MACHINE_MOTO"] ?? path.resolve("build/moto");
const modules = path.join(packages, "usr/lib/python3/dist-packages");

/** Why the tests cannot run here; false where they can. */
export const motoMissing = existsSync(path.join(modules, "moto"))
  ? false
  : "moto is not unpacked; sh scripts/moto-packages.sh does that from Debian's packages";

export interface Fault {
  readonly action: string;
  readonly times?: number;
  readonly dry?: true;
  readonly error?: { readonly status: number; readonly code: string; readonly message: string };
  readonly lost?: true;
  readonly cut?: true;
  readonly doubled?: true;
}

export interface SeenRequest {
  readonly action: string;
  readonly params: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly at: number;
  /** It was refused, because there were too many. */
  readonly limited: boolean;
}

export interface Moto extends AsyncDisposable {
  readonly url: string;
  reset(): Promise<void>;
  fail(...faults: readonly Fault[]): Promise<void>;
  /** Gives the instances something to run on: `url` is told of them, and tells their addresses. */
  runOn(url: string): Promise<void>;
  /** @param pendingSeconds how long an instance is pending @param limited whether requests beyond AWS's rates are refused */
  pace(pendingSeconds: number, limited: boolean): Promise<void>;
  /** Takes a spot instance back. */
  interrupt(id: string, behaviour: "terminate" | "stop"): Promise<void>;
  requests(): Promise<readonly SeenRequest[]>;
}

export async function startMoto(): Promise<Moto> {
  const program = path.join(import.meta.dirname, "moto-server.py");
  const child = spawn("/usr/bin/python3", [program], {
    env: { PATH: process.env["PATH"], PYTHONPATH: modules },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("error", reject);
    child.once("exit", (status) => reject(new Error(`moto ended with status ${status}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  const post = async (where: string, body: unknown): Promise<void> => {
    const answer = await fetch(`${url}/lab/${where}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`moto answered ${answer.status}`);
  };
  return {
    url,
    reset: async () => await post("reset", {}),
    fail: async (...faults) => await post("faults", faults),
    runOn: async (hardware) => await post("hardware", { url: hardware }),
    pace: async (pendingSeconds, limited) => await post("pace", { pendingSeconds, limited }),
    interrupt: async (id, behaviour) => await post("interrupt", { id, behaviour }),
    requests: async () => (await (await fetch(`${url}/lab/requests`)).json()) as readonly SeenRequest[],
    [Symbol.asyncDispose]: async () => await endProcess(child, () => child.stdin.end()),
  };
}
