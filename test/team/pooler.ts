/** pgbouncer before PostgreSQL, in transaction mode: who asks twice may be answered by two sessions. */
import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../support/free-ports.ts";
import { asServer, giveTo, type Postgres } from "./postgres.ts";
import { endProcess } from "../support/end-process.ts";

const site = path.join(path.resolve(process.env["DOCKER_MACHINE_ETCD"] ?? "build"), "pgbouncer");
const program = "usr/sbin/pgbouncer";

export const poolerMissing = existsSync(path.join(site, program))
  ? false
  : "pgbouncer is not unpacked; sh scripts/team-packages.sh does that";

export class Pooler implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(port: number, process: ChildProcess) {
    this.port = port;
    this.#process = process;
  }

  static async start(folder: string, server: Postgres): Promise<Pooler> {
    const port = await freePort();
    mkdirSync(folder, { recursive: true });
    const [settings, users] = [path.join(folder, "pgbouncer.ini"), path.join(folder, "users.txt")];
    writeFileSync(users, `"alice" "${server.password}"\n`);
    writeFileSync(
      settings,
      `[databases]\npostgres = host=127.0.0.1 port=${server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\n` +
        `auth_type = scram-sha-256\nauth_file = ${users}\npool_mode = transaction\ndefault_pool_size = 3\nunix_socket_dir =\n`,
    );
    // The server's user may not read where the tests are.
    const copy = path.join(folder, "site");
    cpSync(site, copy, { recursive: true, verbatimSymlinks: true });
    giveTo(folder, settings, users);
    const [command, args] = asServer(path.join(copy, program), [settings]);
    const env = { LD_LIBRARY_PATH: path.join(copy, "usr/lib/x86_64-linux-gnu") };
    const pooler = new Pooler(port, spawn(command, args, { stdio: "ignore", cwd: "/", env: { PATH: "/usr/bin", ...env } }));
    for (let tries = 0; tries < 100 && pooler.#process.exitCode === null; tries += 1) {
      if (await answers(port)) return pooler;
      await delay(50);
    }
    await pooler[Symbol.asyncDispose]();
    throw new Error(`pgbouncer does not answer (status ${pooler.#process.exitCode})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endProcess(this.#process);
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const isThere = await new Promise<boolean>((resolve) =>
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false)),
  );
  socket.destroy();
  return isThere;
}
