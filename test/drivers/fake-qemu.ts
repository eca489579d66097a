/**
 * A program that behaves like QEMU where the driver can see it: it understands the command line, writes the pid file,
 * serves the monitor (one client at a time) and the guest agent, really listens on forwarded ports, saves and restores
 * a "memory", and ends when it is told to, or, as guests do, some time after its power button was pressed.
 *
 * Installed by {@link installFakeQemu} as `qemu-system-x86_64` and `qemu-img` in a folder for PATH.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

export interface FakeBehaviour {
  /** The guest does not hear its power button. */
  readonly deaf?: boolean;
  /** The monitor accepts connections and says nothing. */
  readonly hung?: boolean;
  /** What it prints instead of starting. */
  readonly refuse?: string;
  /** Writing a state fails. */
  readonly cannotSave?: boolean;
  /** Restoring a state fails. */
  readonly cannotRestore?: boolean;
  /** No agent answers in the guest: it never gets that far. */
  readonly mute?: boolean;
  /** Kernels hang with any accelerator but tcg. */
  readonly brokenAccelerator?: boolean;
}

/** Puts the programs into `folder`/bin and returns that. What they do is read from `folder`/behaviour.json at each start. */
export function installFakeQemu(folder: string, behaviour: FakeBehaviour = {}): string {
  const bin = path.join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(folder, "behaviour.json"), JSON.stringify(behaviour));
  const program = fileURLToPath(import.meta.url);
  for (const name of ["qemu-system-x86_64", "qemu-system-aarch64"]) {
    const version = 'if [ "$1" = --version ]; then echo "QEMU emulator version 7.2.22 (fake)"; exit; fi';
    script(path.join(bin, name), `${version}\nexec '${process.execPath}' '${program}' '${folder}' "$@"`);
  }
  // An empty file in place of an overlay, which is made in the folder it is called in; anything else is not faked.
  script(path.join(bin, "qemu-img"), `[ "$1" = create ] || exec /usr/bin/qemu-img "$@"\n: > disk.qcow2`);
  return bin;
}

function script(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

/** Scripts that were run in fake guests, oldest first. */
export function scriptsRun(folder: string): readonly string[] {
  const file = path.join(folder, "scripts.json");
  return existsSync(file) ? (JSON.parse(`[${readFileSync(file, "utf8").slice(0, -1)}]`) as string[]) : [];
}

type Json = Record<string, unknown>;

class FakeQemu {
  readonly #args: readonly string[];
  readonly #folder: string;
  readonly #behaviour: FakeBehaviour;
  readonly #forwards = new Map<string, { readonly server: Server; readonly guestPort: string }>();
  #state = "prelaunch";
  #migration: string | undefined;

  constructor(folder: string, args: readonly string[]) {
    this.#folder = folder;
    this.#args = args;
    this.#behaviour = JSON.parse(readFileSync(path.join(folder, "behaviour.json"), "utf8")) as FakeBehaviour;
  }

  run(): void {
    if (this.#behaviour.refuse !== undefined) {
      console.error(`qemu-system-x86_64: ${this.#behaviour.refuse}`);
      process.exit(1);
    }
    if (this.#args.includes("-no-reboot")) return this.#probe();
    writeFileSync(this.#value("-pidfile") ?? "", `${process.pid}\n`, { mode: 0o600 });
    if (this.#args.includes("-incoming")) this.#state = "inmigrate";
    this.#serve("monitor0", (socket) => this.#monitor(socket));
    this.#serve("agent0", (socket) => this.#agent(socket));
    process.on("SIGTERM", () => this.#end());
  }

  /** The accelerator check: a kernel without a disk. */
  #probe(): void {
    if (this.#behaviour.brokenAccelerator === true) {
      process.stderr.write("KVM internal error. Suberror: 1\n");
      setInterval(() => {}, 1_000);
    } else {
      console.log("Kernel panic - not syncing: VFS: Unable to mount root fs");
    }
  }

  #value(flag: string): string | undefined {
    const index = this.#args.indexOf(flag);
    return index < 0 ? undefined : this.#args[index + 1];
  }

  #serve(chardev: string, handle: (socket: Socket) => void): void {
    const option = this.#args.find((arg) => arg.startsWith("socket,") && arg.split(",").includes(`id=${chardev}`)) ?? "";
    const file = /path=([^,]+)/u.exec(option)?.[1] ?? "";
    let busy: Promise<void> = Promise.resolve();
    createServer((socket) => {
      const turn = busy;
      busy = new Promise((done) => {
        socket.once("close", () => done());
        socket.on("error", () => {});
        void turn.then(() => handle(socket));
      });
    }).listen(file);
  }

  #monitor(socket: Socket): void {
    if (this.#behaviour.hung === true) return;
    socket.write(`${JSON.stringify({ QMP: { version: {}, capabilities: [] } })}\r\n`);
    eachLine(socket, (line) => {
      const { execute, arguments: args, id } = JSON.parse(line) as { execute: string; arguments?: Json; id: unknown };
      void this.#command(execute, args ?? {}).then(
        (result) => socket.write(`${JSON.stringify({ return: result ?? {}, id })}\r\n`),
        (error: unknown) => socket.write(`${JSON.stringify({ error: { class: "GenericError", desc: String(error) }, id })}\r\n`),
      );
    });
  }

  async #command(command: string, args: Json): Promise<unknown> {
    switch (command) {
      case "query-status":
        return { status: this.#state, running: this.#state === "running" };
      case "cont":
        this.#state = "running";
        return {};
      case "stop":
        this.#state = "paused";
        return {};
      case "quit":
        setTimeout(() => this.#end(), 5);
        return {};
      case "system_powerdown":
        if (this.#behaviour.deaf !== true) setTimeout(() => this.#end(), 20);
        return {};
      case "query-cpus-fast":
        return Array.from({ length: Number(this.#value("-smp")) }, () => ({}));
      case "query-memory-size-summary":
        return { "base-memory": Number.parseInt(this.#value("-m") ?? "", 10) * 1024 ** 2 };
      case "query-memdev":
        return [{ id: /,id=(\w+)/u.exec(this.#value("-object") ?? "")?.[1] ?? "pc.ram" }];
      case "migrate":
      case "migrate-incoming":
        return this.#transfer(command, String(args["uri"]));
      case "query-migrate":
        return this.#migration === undefined ? {} : { status: this.#migration };
      case "human-monitor-command":
        return await this.#human(String(args["command-line"]));
      default:
        return {};
    }
  }

  #transfer(command: string, uri: string): Json {
    const file = uri.split(" ").at(-1) ?? "";
    const fails = command === "migrate" ? this.#behaviour.cannotSave : this.#behaviour.cannotRestore;
    if (command === "migrate" && fails !== true) writeFileSync(file, "memory of a guest", { mode: 0o600 });
    this.#migration = fails === true ? "failed" : "completed";
    if (command === "migrate-incoming") this.#state = "paused";
    return {};
  }

  async #human(line: string): Promise<string> {
    if (line === "info usernet") {
      return [...this.#forwards]
        .map(
          ([key, { guestPort }]) =>
            `  TCP[HOST_FORWARD]  12       ${key.replace(":", " ")}       10.0.2.15    ${guestPort}     0     0`,
        )
        .join("\r\n");
    }
    const closed = /^hostfwd_remove \S+ tcp:([\d.]+:\d+)$/u.exec(line)?.[1];
    if (closed !== undefined) {
      const isOpen = this.#forwards.has(closed);
      this.#forwards.get(closed)?.server.close();
      this.#forwards.delete(closed);
      return isOpen ? `host forwarding rule for tcp:${closed} removed` : `host forwarding rule for tcp:${closed} not found`;
    }
    const [, host = "", port, guestPort = ""] = /^hostfwd_add \S+ tcp:([\d.]+):(\d+)-:(\d+)$/u.exec(line) ?? [];
    if (port === undefined) return `unknown command: '${line}'`;
    const server = createServer((socket) => socket.end("SSH-2.0-Fake\r\n"));
    const isOpen = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ host, port: Number(port), exclusive: true }, () => resolve(true));
    });
    if (!isOpen) return "could not set up host forwarding rule";
    this.#forwards.set(`${host}:${port}`, { server, guestPort });
    return "";
  }

  /** The agent of the guest: answers synchronization, and runs every script by writing it down. */
  #agent(socket: Socket): void {
    if (this.#behaviour.mute === true) return void socket.resume();
    eachLine(socket, (line) => {
      const { execute, arguments: args } = JSON.parse(line.replace(/^[^{]*/u, "")) as { execute: string; arguments?: Json };
      const reply = (value: unknown): void => void socket.write(`${JSON.stringify({ return: value })}\n`);
      if (execute.startsWith("guest-sync")) reply(args?.["id"]);
      else if (execute === "guest-exec") reply(this.#exec(args ?? {}));
      else reply({ exited: true, exitcode: 0 });
    });
  }

  #exec(args: Json): Json {
    const stdin = args["input-data"];
    const script =
      typeof stdin === "string" ? Buffer.from(stdin, "base64").toString("utf8") : String((args["arg"] as string[])[1]);
    writeFileSync(path.join(this.#folder, "scripts.json"), `${JSON.stringify(script)},`, { flag: "a" });
    return { pid: 1 };
  }

  #end(): never {
    rmSync(this.#value("-pidfile") ?? "", { force: true });
    process.exit(0);
  }
}

function eachLine(socket: Socket, take: (line: string) => void): void {
  let pending = "";
  socket.on("data", (chunk: Buffer) => {
    const lines = (pending + chunk.toString("latin1")).split("\n");
    pending = lines.pop() ?? "";
    lines.filter((line) => line.trim() !== "").forEach(take);
  });
}

if (import.meta.main) {
  const [folder = "", ...args] = process.argv.slice(2);
  new FakeQemu(folder, args).run();
}
