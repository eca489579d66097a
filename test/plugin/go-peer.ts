/** Builds the Go side of the tests, once for each state of its source. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";

const source = fileURLToPath(new URL("gopeer/", import.meta.url));
const cache = fileURLToPath(new URL("../../.cache/gopeer/", import.meta.url));
const buildTimeoutMs = 180_000;

/** The program, or why there is none: `skip` for a test that needs it. */
export type GoPeer = { readonly program: string; readonly skip: false } | { readonly program: ""; readonly skip: string };

let built: Promise<GoPeer> | undefined;

export function goPeer(): Promise<GoPeer> {
  built ??= build();
  return built;
}

async function build(): Promise<GoPeer> {
  const computer = thisComputer();
  const processes = new SystemProcessRunner(computer);
  if ((await processes.find("go")) === undefined) return { program: "", skip: "Go is not installed" };
  const state = createHash("sha256")
    .update(await readFile(`${source}main.go`))
    .digest("hex");
  const program = `${cache}${state.slice(0, 16)}`;
  if (existsSync(program)) return { program, skip: false };
  await mkdir(cache, { recursive: true });
  const fresh = `${program}.${process.pid}.tmp`;
  const env = { ...computer.env, GOPROXY: "off", GOFLAGS: "-mod=mod", CGO_ENABLED: "0" };
  const result = await processes.run("go", ["build", "-o", fresh, "."], { cwd: source, env, timeoutMs: buildTimeoutMs });
  if (result.status !== 0) throw new Error(`the Go peer does not build:\n${result.stderr.toString()}`);
  await rename(fresh, program);
  return { program, skip: false };
}
