/** An executable for a system that need not be this one: our bundle behind that system's runtime. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import * as path from "node:path";
import { signatureOf } from "./mach-o.ts";
import type { Target } from "./targets.ts";

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string } | undefined>>;
}

const cache = path.resolve("build/runtimes");

/** Gives the path of the executable, `docker-machine-NAME` in `out`. Throws what cannot be had or made, and why. */
export async function buildExecutable(name: string, target: Target, out: string): Promise<string> {
  const file = path.join(out, `docker-machine-${name}${target.suffix ?? ""}`);
  execFileSync("sh", ["scripts/build.sh", "executable", file, target.bun, runtimeOf(target)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (!existsSync(file)) throw new Error("the bundler made no file");
  // Macs with Apple's processors start nothing that bears no signature, be it of nobody.
  if (name === "darwin-arm64" && signatureOf(readFileSync(file)) !== "ad-hoc") throw new Error("it bears no ad-hoc signature");
  return file;
}

/** The runtime's program, as the lock file of the toolchain knows it. */
function runtimeOf({ runtime }: Target): string {
  const lock = JSON.parse(readFileSync("tools/toolchain/package-lock.json", "utf8")) as LockFile;
  const { version, integrity = "" } = lock.packages[`node_modules/${runtime}`] ?? {};
  if (version === undefined) throw new Error(`the toolchain's lock file has no ${runtime}`);
  const folder = path.join(cache, `${runtime.replace("/", "+")}-${version}`);
  const program = (): string | undefined =>
    ["bun", "bun.exe"].map((each) => path.join(folder, "package/bin", each)).find((each) => existsSync(each));
  if (program() === undefined) unpack(`${runtime}@${version}`, integrity, folder);
  const found = program();
  if (found === undefined) throw new Error(`${runtime} ${version} holds no program`);
  return found;
}

/** The folder is there whole or not at all: half a program would be believed the next time. */
function unpack(wanted: string, integrity: string, place: string): void {
  const folder = `${place}.${process.pid}.tmp`;
  mkdirSync(folder, { recursive: true });
  execFileSync("npm", ["pack", "--silent", wanted, "--pack-destination", folder], { stdio: ["ignore", "ignore", "pipe"] });
  const archive = path.join(folder, readdirSync(folder).find((each) => each.endsWith(".tgz")) ?? "");
  const is = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (is !== integrity) throw new Error(`${wanted} is not what the lock file names`);
  execFileSync("tar", ["-xzf", archive, "-C", folder]);
  rmSync(archive);
  rmSync(place, { recursive: true, force: true });
  renameSync(folder, place);
}
