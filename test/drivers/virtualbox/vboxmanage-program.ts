/**
 * The stand-in as a program on PATH, for tests of the whole program: each call is a process, the state lies in a file between
 * them, and machines that run are somebody else's: whoever listens at the socket beside it.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import * as path from "node:path";
import { buffer, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { lockFile } from "../../../src/system/file-lock.ts";
import type { FakeOptions, FakeState, FakeVm } from "./fake-state.ts";
import { FakeVBox, type FakeHardware } from "./fake-vbox.ts";

const files = { state: "state.json", options: "options.json", calls: "calls.jsonl", socket: "hardware.sock" } as const;
const lockMs = 60_000;

/** Puts a program VBoxManage into `folder`/bin, and gives that. */
export function installVBoxManage(folder: string, options: Partial<FakeOptions> = {}): string {
  const bin = path.join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(folder, files.options), JSON.stringify(options));
  const program = path.join(bin, "VBoxManage");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(import.meta.url)}' '${folder}' "$@"\n`);
  chmodSync(program, 0o755);
  return bin;
}

export function stateIn(folder: string): FakeState {
  return JSON.parse(readFileSync(path.join(folder, files.state), "utf8")) as FakeState;
}

/** All calls, in their order. */
export function callsIn(folder: string): readonly (readonly string[])[] {
  const lines = readFileSync(path.join(folder, files.calls), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as string[]);
}

/** Serves the machines of the stand-in in a folder. */
export async function serveHardware(folder: string, hardware: FakeHardware): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const answer = async (): Promise<void> => {
      const { action, vm } = JSON.parse(await text(socket)) as { action: "boot" | "off"; vm: FakeVm };
      const said = action === "boot" ? await hardware.boot(vm) : await hardware.off(vm);
      socket.end(said ?? "");
    };
    answer().catch((error: unknown) => socket.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(path.join(folder, files.socket), resolve));
  return server;
}

async function ask(folder: string, request: object): Promise<string> {
  const socket = connect(path.join(folder, files.socket));
  socket.end(JSON.stringify(request));
  return await text(socket);
}

async function main(folder: string, args: readonly string[]): Promise<void> {
  const content = args[0] === "convertfromraw" ? await buffer(process.stdin) : undefined;
  await using _lock = await lockFile(path.join(folder, "state.lock"), {
    what: "the stand-in",
    purpose: "call it",
    waitMs: lockMs,
  });
  writeFileSync(path.join(folder, files.calls), `${JSON.stringify(args)}\n`, { flag: "a" });
  const options = JSON.parse(readFileSync(path.join(folder, files.options), "utf8")) as Partial<FakeOptions>;
  const hardware: FakeHardware = {
    boot: async (vm) => await ask(folder, { action: "boot", vm }),
    off: async (vm) => void (await ask(folder, { action: "off", vm })),
  };
  // The time that all calls share.
  const vbox = new FakeVBox({ monotonicMs: () => Date.now() }, options, hardware);
  if (existsSync(path.join(folder, files.state))) vbox.state = stateIn(folder);
  const { status, stdout, stderr } = await vbox.run(args, content);
  writeFileSync(path.join(folder, files.state), JSON.stringify(vbox.state));
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = status;
}

if (import.meta.main) {
  const [folder = "", ...args] = process.argv.slice(2);
  await main(folder, args);
}
