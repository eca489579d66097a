/** Servers that do what no server should, in this process, on loopback ports of their own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as net from "node:net";
import { createRequire } from "node:module";
import type ssh2Module from "ssh2";
import type { Connection, Server as SshServer, ServerChannel, ServerConfig } from "ssh2";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { parsePublicKey, type PublicKey } from "../../src/ssh/public-key.ts";
import { endProcess } from "../support/end-process.ts";

const ssh2 = createRequire(import.meta.url)("ssh2") as typeof ssh2Module;

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
}

/** A TCP server that treats every connection in one way. */
export async function startTcpServer(treat: (socket: net.Socket) => void): Promise<RunningServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    treat(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as net.AddressInfo).port, [Symbol.asyncDispose]: () => closeServer(server, sockets) };
}

/**
 * A port whose connections are never taken: the system's queue for it is full, so that further attempts get no answer at
 * all, as behind a firewall that drops packets. Linux only.
 */
export async function startBlackHole(): Promise<RunningServer & { resume(): void }> {
  const listener = spawn(process.execPath, ["-e", blackHoleScript], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(listener.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  listener.kill("SIGSTOP");
  const fillers = Array.from({ length: 4 }, () => net.connect(port, "127.0.0.1").on("error", () => {}));
  await Promise.race(fillers.map((socket) => once(socket, "connect")));
  return {
    port,
    /** From here on connections are taken: who was not heard comes through with its next attempt, seconds later. */
    resume: () => void listener.kill("SIGCONT"),
    [Symbol.asyncDispose]: async () => {
      for (const socket of fillers) socket.destroy();
      await endProcess(listener);
    },
  };
}

const blackHoleScript = `
const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));`;

async function closeServer(server: net.Server, sockets: ReadonlySet<net.Socket>): Promise<void> {
  const closed = once(server, "close");
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}

export interface FakeSshOptions {
  /** What becomes of a login; accepted by default. */
  readonly login?: "accept" | "refuse" | "password-only" | "ignore";
  /** What becomes of a command; echoes its input and ends with 0 by default. */
  readonly command?: (channel: ServerChannel, client: Connection, command: string) => void;
  /** Requests for a session are not answered at all. */
  readonly ignoreSessions?: boolean;
}

/** An SSH server whose every step can be made to go wrong. It remembers all that was sent to it. */
export interface FakeSshServer extends RunningServer {
  readonly hostKey: PublicKey;
  /** How many were opened so far. */
  connections(): number;
  /** Methods of login that clients tried. */
  readonly logins: string[];
  readonly commands: string[];
  /** Everything that arrived on standard inputs. */
  received(): string;
}

export async function startFakeSsh(options: FakeSshOptions = {}): Promise<FakeSshServer> {
  const pair = generateKeyPair("host");
  const logins: string[] = [];
  const commands: string[] = [];
  const input: Buffer[] = [];
  const config: ServerConfig = { hostKeys: [pair.privateKey] };
  const server: SshServer = new ssh2.Server(config, (client) => {
    client.on("error", () => {});
    client.on("authentication", (context) => {
      logins.push(context.method);
      if (options.login === "ignore") return;
      if (options.login === "password-only") context.reject(["password"]);
      else if (context.method === "none" || options.login === "refuse") context.reject(["publickey"]);
      else context.accept();
    });
    client.on("session", (accept) => {
      if (options.ignoreSessions === true) return;
      const session = accept();
      session.on("exec", (acceptCommand, _reject, { command }) => {
        const channel = acceptCommand();
        commands.push(command);
        channel.on("data", (chunk: Buffer) => void input.push(chunk));
        channel.on("error", () => {});
        (options.command ?? echo)(channel, client, command);
      });
    });
  });
  let connections = 0;
  const tcp = await startTcpServer((socket) => {
    connections += 1;
    server.injectSocket(socket);
  });
  return {
    port: tcp.port,
    hostKey: parsePublicKey(pair.publicKey) as PublicKey,
    connections: () => connections,
    logins,
    commands,
    received: () => Buffer.concat(input).toString("latin1"),
    [Symbol.asyncDispose]: () => tcp[Symbol.asyncDispose](),
  };
}

function echo(channel: ServerChannel): void {
  channel.on("data", (chunk: Buffer) => void channel.write(chunk));
  channel.on("end", () => {
    channel.exit(0);
    channel.end();
  });
}
