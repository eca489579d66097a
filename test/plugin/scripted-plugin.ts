/** Plugins that misbehave, each in its own way: the programs of the tests of bad input. Run as a plugin's program. */
import { spawn } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { connectedResponse } from "../../src/gocompat/netrpc/http-head.ts";
import { RpcServer, type RpcHandler, type RpcServices } from "../../src/gocompat/netrpc/server.ts";
import { gobEmpty, gobInt, gobInterface, gobSlice } from "../../src/gocompat/gob/types.ts";
import { methods, type MethodName } from "../../src/plugin/protocol.ts";

type Service = Record<string, RpcHandler>;

const forever = (): Promise<never> => new Promise(() => {});
const config = Buffer.from('{"MachineName":"web"}');

/** A plugin as it should be. */
function wellBehaved(): Service {
  const answers: Partial<Record<MethodName, unknown>> = {
    GetVersion: 1,
    DriverName: "bad",
    GetConfigRaw: config,
    GetIP: "192.0.2.1",
    GetState: 1,
    GetCreateFlags: [],
  };
  const handler = (name: MethodName): RpcHandler => ({
    ...(methods[name] as RpcHandler),
    handle: async () => answers[name] ?? {},
  });
  const service: Service = Object.fromEntries((Object.keys(methods) as MethodName[]).map((name) => [name, handler(name)]));
  service["Close"] = { ...(methods.Close as RpcHandler), handle: async () => (setImmediate(() => process.exit(0)), {}) };
  return service;
}

function listen(accept: (socket: Socket) => void): void {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    accept(socket);
  });
  server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${(server.address() as { port: number }).port}`));
}

function serve(services: RpcServices): void {
  listen((socket) => {
    const server = new RpcServer({
      services,
      send: (bytes) => socket.write(bytes),
      close: () => socket.end(),
      errorText: String,
    });
    socket.on("data", (chunk) => server.receive(chunk));
  });
}

const answering = (changes: Partial<Record<MethodName, () => Promise<unknown>>>): void => {
  const service = wellBehaved();
  for (const [name, handle] of Object.entries(changes))
    service[name] = { ...(methods[name as MethodName] as RpcHandler), handle };
  serve({ RPCServerDriver: service });
};

/** Sends raw bytes in place of answers, once something was asked. */
const answeringBytes = (bytes: string): void =>
  listen((socket) => {
    socket.once("data", () => {
      socket.write(connectedResponse);
      socket.once("data", () => socket.write(Buffer.from(bytes, "hex")));
    });
  });

const unknownFlag = gobSlice(gobInterface({ "*mcnflag.DurationFlag": gobEmpty }));

export const misbehaviours = {
  "prints nothing": () => void setInterval(() => {}, 1000),
  "prints something else first": () => {
    console.log("Welcome to this plugin!");
    answering({});
  },
  "listens elsewhere": () => {
    console.log("192.0.2.1:2376");
    setInterval(() => {}, 1000);
  },
  "listens nowhere": () => {
    console.log("127.0.0.1:1");
    setInterval(() => {}, 1000);
  },
  "ends early": () => {
    console.error("cannot read my settings\nbye");
    process.exitCode = 3;
  },
  "speaks another protocol": () => listen((socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n\r\n")),
  "speaks another version": () => answering({ GetVersion: async () => 2 }),
  "has the old service name": () => serve({ RpcServerDriver: wellBehaved() }),
  "floods its standard output": () => {
    answering({});
    setTimeout(() => spawn("yes", [], { stdio: ["ignore", "inherit", "inherit"] }), 100);
  },
  "never answers": () => listen((socket) => socket.write(connectedResponse)),
  "never tells its state": () => answering({ GetState: forever }),
  "never does what it is told": () =>
    answering({ Create: forever, Remove: forever, Start: forever, Stop: forever, Kill: forever, Restart: forever }),
  "stops answering heartbeats": () => answering({ Heartbeat: forever, Create: forever }),
  "announces a huge message": () => answeringBytes("f87fffffffffffffff"),
  "sends noise": () => answeringBytes("0102030405060708"),
  "answers with another type": () => {
    const service = wellBehaved();
    service["GetIP"] = { argument: gobEmpty, reply: gobInt, handle: async () => 5 };
    serve({ RPCServerDriver: service });
  },
  "has flags of an unknown kind": () => {
    const service = wellBehaved();
    service["GetCreateFlags"] = {
      argument: gobEmpty,
      reply: unknownFlag as RpcHandler["reply"],
      handle: async () => [{ type: "*mcnflag.DurationFlag", value: {} }],
    };
    serve({ RPCServerDriver: service });
  },
  "closes in the middle of an answer": () =>
    listen((socket) => {
      const cut = { after: Number.POSITIVE_INFINITY };
      const service = wellBehaved();
      service["GetIP"] = { ...(methods.GetIP as RpcHandler), handle: async () => ((cut.after = 10), "192.0.2.1") };
      const send = (bytes: Uint8Array): void =>
        void (cut.after < bytes.length ? socket.end(bytes.subarray(0, cut.after)) : socket.write(bytes));
      const server = new RpcServer({
        services: { RPCServerDriver: service },
        send,
        close: () => socket.end(),
        errorText: String,
      });
      socket.on("data", (chunk) => server.receive(chunk));
    }),
  "floods its log": () =>
    answering({
      GetIP: async () => {
        for (let line = 0; line < 20_000; line++) console.error(`line ${line} ${"x".repeat(100)}`);
        console.error("y".repeat(200_000));
        return "192.0.2.1";
      },
    }),
  "does not end": () => {
    process.on("SIGTERM", () => {});
    answering({ Close: async () => ({}) });
  },
  "gives a configuration that is not JSON": () => answering({ GetConfigRaw: async () => Buffer.from("{") }),
  "calls itself ci-test": () => answering({ DriverName: async () => "ci-test" }),
  "says that it closes": () =>
    answering({
      DriverName: async () => "ci-test",
      Close: async () => {
        console.log("Closing plugin on server side");
        setImmediate(() => process.exit(0));
        return {};
      },
    }),
  "cannot tell its address": () =>
    answering({
      GetURL: async () => {
        throw "IP address is not set";
      },
      GetIP: async () => {
        throw "IP address is not set";
      },
      GetState: async () => 6,
    }),
  "fails to tell its state": () =>
    answering({
      GetState: async () => {
        throw "the provider is down";
      },
    }),
  "breaks down as Go programs do": () =>
    answering({
      GetIP: async () => {
        const trace = Array.from({ length: 20 }, (_, index) => `main.frame${index}(0xc000012345)`);
        console.error(["panic: the quota is used up", "", "goroutine 1 [running]:", ...trace].join("\n"));
        setTimeout(() => process.exit(2), 50);
        return await new Promise(() => {});
      },
    }),
  paints: () =>
    answering({
      Create: async () => {
        console.log("\u001B[2J\u001B[1Apainted\rover");
        throw "painted \u001B[31mred";
      },
    }),
  "fails its create": () =>
    answering({
      Create: async () => {
        throw "no capacity left";
      },
    }),
  "fails its pre-create check": () =>
    answering({
      PreCreateCheck: async () => {
        throw "no quota left";
      },
    }),
} as const satisfies Record<string, () => void>;

export type Misbehaviour = keyof typeof misbehaviours;
