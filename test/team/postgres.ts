/** PostgreSQL of a test's own, from the newest that is installed. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import type { PairFiles } from "./pair-files.ts";
import { freePort } from "../support/free-ports.ts";
import { endProcess } from "../support/end-process.ts";
import { endingWithUs } from "../support/ending-with-us.ts";

const releases = "/usr/lib/postgresql";
const newest = (existsSync(releases) ? readdirSync(releases) : []).sort((a, b) => Number(b) - Number(a))[0];

/** Why the tests cannot run here; false where they can. */
export const postgresMissing =
  newest !== undefined && existsSync(path.join(releases, newest, "bin/initdb")) ? false : "PostgreSQL is not installed";

function programOf(name: string): string {
  return path.isAbsolute(name) ? name : path.join(releases, newest ?? "", "bin", name);
}

/** It does not run as root. */
const isRoot = process.getuid?.() === 0;

/** As the one whom servers run as; it ends with the test. */
export function asServer(program: string, args: readonly string[]): readonly [string, readonly string[]] {
  const [first, words] = endingWithUs(programOf(program), args, "QUIT");
  // By one program: the kernel forgets what should end a process whose user changes.
  return [first, [...(isRoot ? ["--reuid=postgres", "--regid=postgres", "--clear-groups"] : []), ...words]];
}

export class Postgres implements AsyncDisposable {
  readonly port: number;
  readonly password = "the password of the tests";
  readonly #data: string;
  readonly #settings: readonly string[];
  #server: ChildProcess;

  private constructor(data: string, port: number, settings: readonly string[]) {
    this.#data = data;
    this.port = port;
    this.#settings = settings;
    this.#server = serve(data, port, settings);
  }

  /** @param folder for its data; the test removes it */
  static async start(folder: string, { tls }: { readonly tls?: PairFiles } = {}): Promise<Postgres> {
    const data = path.join(folder, "data");
    mkdirSync(data, { recursive: true });
    const passwordFile = path.join(folder, "password");
    writeFileSync(passwordFile, "the password of the tests");
    giveTo(folder, data, passwordFile);
    const made = run("initdb", [
      "--pgdata",
      data,
      "--username=alice",
      "--auth=scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--no-sync",
    ]);
    if (made.status !== 0) throw new Error(made.stderr);
    const port = await freePort();
    if (tls !== undefined) giveTo(folder, tls.key);
    const files = tls === undefined ? {} : { ssl: "on", ssl_cert_file: tls.certificate, ssl_key_file: tls.key };
    const server = new Postgres(
      data,
      port,
      Object.entries(files).map(([name, value]) => `${name}=${value}`),
    );
    await server.untilReady();
    return server;
  }

  /** A server that follows this one and only reads. @param folder for its data */
  async standby(folder: string): Promise<Postgres> {
    const data = path.join(folder, "data");
    mkdirSync(data, { recursive: true, mode: 0o700 });
    giveTo(folder, data);
    const source = ["--dbname", `host=127.0.0.1 port=${this.port} user=alice password='${this.password}'`];
    const copied = run("pg_basebackup", [...source, "--pgdata", data, "--write-recovery-conf", "--no-sync", "--checkpoint=fast"]);
    if (copied.status !== 0) throw new Error(copied.stderr);
    const server = new Postgres(data, await freePort(), []);
    await server.untilReady();
    return server;
  }

  /** Statements by the one who may do everything. */
  async run(statements: string): Promise<void> {
    const sql = this.#asAlice();
    await sql.unsafe(statements).simple();
    await sql.end();
  }

  /** For a store of this name. */
  url(name: string): string {
    return `postgres://127.0.0.1:${this.port}/postgres/${name}`;
  }

  /** As if the time of everyone's locks were over, without waiting for it. @param schema the store's name */
  async endLeases(schema: string): Promise<void> {
    await this.run(`delete from "${schema}".lease`);
  }

  #asAlice(): ReturnType<typeof postgres> {
    const { port, password } = this;
    return postgres({ host: "127.0.0.1", port, database: "postgres", user: "alice", password, max: 1, onnotice: () => {} });
  }

  async untilReady(): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (run("pg_isready", ["--host=127.0.0.1", `--port=${this.port}`]).status === 0) return;
      await delay(50);
    }
    throw new Error("PostgreSQL did not start");
  }

  /** Ends it at once, as a crash does. */
  async stop(): Promise<void> {
    await endProcess(this.#server, () => this.#server.kill("SIGQUIT"));
  }

  async revive(): Promise<void> {
    this.#server = serve(this.#data, this.port, this.#settings);
    await this.untilReady();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function run(program: string, args: readonly string[]): { status: number | null; stderr: string } {
  const [command, all] = asServer(program, args);
  return spawnSync(command, all, { encoding: "utf8", cwd: "/" });
}

function serve(data: string, port: number, settings: readonly string[]): ChildProcess {
  const [command, all] = asServer("postgres", [
    "-D",
    data,
    ...["-h", "127.0.0.1", "-p", String(port), "-k", data],
    ...["fsync=off", "shared_buffers=16MB", "log_min_messages=fatal", ...settings].flatMap((setting) => ["-c", setting]),
  ]);
  return spawn(command, all, { stdio: "ignore", cwd: "/" });
}

export function giveTo(folder: string, ...paths: readonly string[]): void {
  const ids = spawnSync("id", ["-u", "postgres"], { encoding: "utf8" }).stdout.trim();
  if (!isRoot) return;
  chmodSync(folder, 0o755);
  for (const each of paths) chownSync(each, Number(ids), -1);
}
