/** The programs of the stand-in: on PATH as programs, or in this process. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import type { SshExecutor, SshRunOptions } from "../../../src/ssh/executor.ts";
import type { ProcessRunner, RunResult } from "../../../src/system/process.ts";
import { FakeVmware, registeredFolder } from "./fake-vmware.ts";

const programs = ["vmrun", "vmware-vdiskmanager", "vmware-vmx", "arp"];

/** Puts them into `folder`/bin, which is for PATH, and gives that. */
export function installPrograms(folder: string): string {
  const bin = path.join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  for (const name of programs) {
    const file = path.join(bin, name);
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(import.meta.url)}' '${folder}' ${name} "$@"\n`);
    chmodSync(file, 0o755);
  }
  return bin;
}

/** Runs them in this process: for suites that run hundreds. */
export function processesOn(fake: FakeVmware): ProcessRunner {
  return {
    find: async (program) => {
      const { missing = [], isInRegistry = false } = fake.behaviour;
      if (program === "reg") return isInRegistry ? "/windows/reg" : undefined;
      const name = isInRegistry && program.startsWith(registeredFolder) ? path.basename(program) : isInRegistry ? "" : program;
      return programs.includes(name) && !missing.includes(name) ? `/vmware/${name}` : undefined;
    },
    spawn: () => {
      throw new Error("nothing is spawned");
    },
    run: async (program, args, { signal } = {}): Promise<RunResult> => {
      signal?.throwIfAborted();
      const { status, stdout, stderr, waitsFor } = fake.run(path.basename(program), args);
      if (waitsFor !== undefined) throw new Error("this one hangs: run it as a program");
      return { status, signal: null, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
    },
  };
}

/** A guest behind SSH that is asked to shut down, with sudo. */
export function sshInto(fake: FakeVmware, vmx: () => string): SshExecutor {
  return {
    connect: async () => {},
    run: async (_command, { stdin = "" }: SshRunOptions = {}) => {
      const text = String(stdin);
      if (text === "poweroff\n") fake.powerOff(vmx());
      const stdout = Buffer.from(text.includes("@way") ? "\n@way\tsudo\t\n" : "");
      return { status: 0, stdout, stderr: Buffer.alloc(0) };
    },
    session: async () => 0,
    roundTrips: 0,
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

if (import.meta.main) {
  const [folder = "", program = "", ...args] = process.argv.slice(2);
  const fake = new FakeVmware(folder);
  const { status, stdout, stderr, waitsFor } = fake.run(program, args);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = status;
  // Until another process switches it off, or this one is ended.
  if (waitsFor !== undefined)
    setInterval(() => {
      if (fake.running.every(({ vmx }) => vmx !== waitsFor)) process.exit(0);
    }, 20);
}
