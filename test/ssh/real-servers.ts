/**
 * Real SSH servers for tests: OpenSSH's and dropbear, each on a loopback port of its own, in namespaces of its own.
 * There the user's home is a temporary folder, so no test touches or depends on the real one, and ending the namespace
 * ends every process in it.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir, userInfo } from "node:os";
import * as path from "node:path";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { parsePublicKey, type PublicKey } from "../../src/ssh/public-key.ts";
import { freePort } from "../support/free-ports.ts";
import { endProcess } from "../support/end-process.ts";

export interface TestServer {
  readonly hostName: string;
  readonly port: number;
  readonly userName: string;
  /** A key that the server accepts for that user. */
  readonly identityFile: string;
  /** Ed25519 and RSA where the server has both. */
  readonly hostKeys: readonly PublicKey[];
  /** The user's home as the server shows it. */
  readonly home: string;
  /** Scratch space, gone with the server. */
  readonly folder: string;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Lines of sshd_config, before our own. */
  readonly config?: readonly string[];
  /** Keys of these types only; both by default. */
  readonly hostKeyTypes?: readonly ("ed25519" | "rsa")[];
  /** Whether files can be transferred by SFTP; true by default. */
  readonly sftp?: boolean;
  /** Loopback address to listen on; 127.0.0.1 by default. */
  readonly hostName?: "127.0.0.1" | "::1";
}

/** Why real servers cannot be started here; undefined where they can. */
export function whyNot(program: "sshd" | "dropbear"): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return `needs Linux namespaces, so Linux and root`;
  if (!existsSync(`/usr/sbin/${program}`)) return `${program} is not installed`;
  if (spawnSync("unshare", ["--mount", "--pid", "--fork", "true"]).status !== 0) return "unshare is not permitted here";
  return undefined;
}

export async function startSshd(options: ServerOptions = {}): Promise<TestServer> {
  const base = { ...(await prepare()), hostName: options.hostName ?? "127.0.0.1" };
  const hostKeys = await makeHostKeys(base.folder, options.hostKeyTypes ?? ["ed25519", "rsa"]);
  const port = await freePort();
  const config = path.join(base.folder, "sshd_config");
  const extra = [
    ...(options.config ?? []),
    `ListenAddress ${base.hostName}`,
    ...(options.sftp === false ? [] : ["Subsystem sftp internal-sftp"]),
  ];
  await writeFile(
    config,
    sshdConfig(
      base.folder,
      port,
      hostKeys.map(({ file }) => file),
      extra,
    ),
  );
  const server = await spawnServer(base, ["/usr/sbin/sshd", "-D", "-e", "-f", config], /Server listening on/u);
  return { ...base, port, hostKeys: hostKeys.map(({ key }) => key), stop: () => stop(server, base.folder) };
}

export async function startDropbear(): Promise<TestServer> {
  const base = await prepare();
  const hostKey = path.join(base.folder, "dropbear_key");
  const made = spawnSync("dropbearkey", ["-t", "ed25519", "-f", hostKey], { encoding: "utf8" });
  const key = parsePublicKey(/^ssh-ed25519 .*$/mu.exec(made.stdout)?.[0] ?? "");
  if (key === undefined) throw new Error(`dropbearkey failed: ${made.stderr}`);
  const port = await freePort();
  const args = ["-F", "-E", "-p", `127.0.0.1:${port}`, "-r", hostKey, "-P", path.join(base.folder, "pid")];
  const server = await spawnServer(base, ["/usr/sbin/dropbear", ...args], /Not backgrounding/u);
  await answering(port);
  return { ...base, port, hostKeys: [key], stop: () => stop(server, base.folder) };
}

type Base = Omit<TestServer, "port" | "hostKeys" | "stop">;

async function prepare(): Promise<Base> {
  const folder = await mkdtemp(path.join(tmpdir(), "ssh-test-"));
  const home = path.join(folder, "home");
  await mkdir(path.join(home, ".ssh"), { recursive: true, mode: 0o700 });
  const pair = generateKeyPair("test");
  const identityFile = path.join(folder, "id_ed25519");
  await writeFile(identityFile, pair.privateKey, { mode: 0o600 });
  await writeFile(path.join(home, ".ssh", "authorized_keys"), `${pair.publicKey}\n`, { mode: 0o600 });
  return {
    hostName: "127.0.0.1",
    userName: spawnSync("id", ["-un"], { encoding: "utf8" }).stdout.trim(),
    identityFile,
    home,
    folder,
  };
}

async function makeHostKeys(
  folder: string,
  types: readonly string[],
): Promise<{ readonly file: string; readonly key: PublicKey }[]> {
  return types.map((type) => {
    const file = path.join(folder, `host_${type}`);
    const made = spawnSync("ssh-keygen", ["-q", "-t", type, ...(type === "rsa" ? ["-b", "1024"] : []), "-N", "", "-f", file], {
      encoding: "utf8",
    });
    const key = parsePublicKey(spawnSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" }).stdout);
    if (key === undefined) throw new Error(`ssh-keygen failed: ${made.stderr}`);
    return { file, key };
  });
}

/** SHLVL keeps bash from reading ~/.bashrc for every command, as it does under sshd; the key exchange is the cheapest one. */
function sshdConfig(folder: string, port: number, hostKeyFiles: readonly string[], extra: readonly string[]): string {
  return [
    ...extra,
    `Port ${port}`,
    ...hostKeyFiles.map((file) => `HostKey ${file}`),
    `PidFile ${path.join(folder, "pid")}`,
    "UsePAM no",
    "StrictModes no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "MaxStartups 100",
    "SetEnv SHLVL=2",
    "KexAlgorithms curve25519-sha256",
    "",
  ].join("\n");
}

async function spawnServer(base: Base, command: readonly string[], ready: RegExp): Promise<ChildProcess> {
  const script = 'mount --bind "$0" "$1" && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && shift && exec "$@"';
  const args = ["--mount-proc", "--pid", "--fork", "--kill-child", "sh", "-c", script, base.home, userInfo().homedir, ...command];
  const server = spawn("unshare", args, { stdio: ["ignore", "ignore", "pipe"] });
  await seen(server, ready);
  return server;
}

async function seen(server: ChildProcess, ready: RegExp): Promise<void> {
  let text = "";
  for await (const chunk of server.stderr ?? []) {
    text += String(chunk);
    if (ready.test(text)) break;
  }
  if (!ready.test(text)) throw new Error(`The server did not start: ${text}`);
}

/** Resolves when something listens on the port; tries for five seconds. */
async function answering(port: number): Promise<void> {
  for (let left = 500; left > 0; left -= 1) {
    const socket = net.connect(port, "127.0.0.1");
    const connected = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Nothing listens on port ${port}`);
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  await endProcess(server);
  await rm(folder, { recursive: true, force: true });
}
