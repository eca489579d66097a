/**
 * `create` of many prepared hosts behind a line of 100 ms there and back, at once and one after the other. Each machine is a
 * host of the lab with an engine of its own: RELAYED_HOSTS says how many.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { genericFlags } from "../e2e/generic-flags.ts";
import { Program } from "../e2e/program.ts";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { freePort } from "../support/free-ports.ts";
import { timeOf, type Row } from "./measure.ts";

const oneWayMs = 50;
const enginePort = 2376;
const startedAtOnce = 4;
/** Of the sequence, as many as tell. */
const sampled = 10;
const memoryMiB = 300;
const longMs = 500_000;

export async function measureRelay(): Promise<readonly Row[] | string> {
  const unavailable = await labUnavailableReason();
  if (unavailable !== undefined) return unavailable;
  await using lab = await openLab();
  const count = Number(process.env["RELAYED_HOSTS"] ?? "10");
  return await measureMany(lab, count, count > sampled ? 0.25 : 0.35);
}

async function measureMany(lab: Lab, count: number, target: number): Promise<Row[]> {
  const hosts = await startHosts(lab, count);
  const sshPort = await freePort();
  const places = hosts.map((host, index) => ({ host, address: `127.0.1.${index + 1}` }));
  const relays = await Promise.all(
    places.flatMap(({ host, address }) => [
      openRelay({ address, port: sshPort }, { address: host.address, port: host.sshPort }),
      openRelay({ address, port: enginePort }, { address: host.address, port: enginePort }),
    ]),
  );
  await using program = await Program.open();
  const names = hosts.map((_, index) => `m${index + 1}`);
  const flags = (addressed: readonly (typeof places)[number][]): string[] => {
    const reached = addressed.map(({ host, address }) => ({ ...host, address, sshPort }));
    return ["create", "--driver", "generic", ...genericFlags(...reached)];
  };
  const together = [...flags(places), "--parallel", `${count}`, ...names];
  try {
    const fresh = await timed(program, together);
    await program.ok(["rm", "-y", ...names], { timeoutMs: longMs });
    const some = places.slice(0, sampled);
    const sequenceMs = await timeOf(async () => {
      for (const [index, place] of some.entries()) await program.ok([...flags([place]), names[index] ?? ""]);
    });
    await program.ok(["rm", "-y", ...names.slice(0, some.length)], { timeoutMs: longMs });
    const again = await timed(program, together);
    const wholeMs = (sequenceMs / some.length) * count;
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
    return [
      { what: `create of ${count} hosts at once, that were never seen before`, value: fresh.ms },
      { what: "one create, of those after one another", value: sequenceMs / some.length },
      {
        what: `create of ${count} at once, to the sequence`,
        value: again.ms / wholeMs,
        unit: "x",
        target,
        note: `${seconds(again.ms)} to ${seconds(wholeMs)}${count > some.length ? ` (the mean of ${some.length}, ${count} times)` : ""}`,
      },
      { what: "memory of that", value: Math.max(fresh.peakMiB, again.peakMiB), unit: "MiB", target: memoryMiB },
    ];
  } finally {
    for (const relay of relays) relay.close();
  }
}

async function startHosts(lab: Lab, count: number): Promise<LabHost[]> {
  const hosts: LabHost[] = [];
  while (hosts.length < count) {
    const next = Array.from({ length: Math.min(startedAtOnce, count - hosts.length) }, () => lab.start("bookworm-engine"));
    hosts.push(...(await Promise.all(next)));
  }
  return hosts;
}

/** Its time, and the most that it had in memory, as far as a look each few milliseconds tells. */
async function timed(program: Program, args: readonly string[]): Promise<{ readonly ms: number; readonly peakMiB: number }> {
  let peak = 0;
  const running = program.start(args, { timeoutMs: longMs });
  const look = async (): Promise<void> => {
    const status = await readFile(`/proc/${running.pid}/status`, "utf8").catch(() => "");
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/mu.exec(status)?.[1] ?? 0));
  };
  const timer = setInterval(() => void look(), 50);
  let failure = "";
  const ms = await timeOf(async () => {
    const { status, stdout, stderr } = await running.ended;
    if (status !== 0) failure = stdout + stderr;
  });
  clearInterval(timer);
  if (failure !== "") throw new Error(failure);
  return { ms, peakMiB: peak / 1024 };
}

interface Place {
  readonly address: string;
  readonly port: number;
}

/** A line that takes its time: for what is said in either direction, and for the handshake of TCP. */
async function openRelay(at: Place, to: Place): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.on("error", () => {});
    client.pause();
    setTimeout(() => {
      const host = connect({ host: to.address, port: to.port, allowHalfOpen: true });
      host.on("error", () => client.destroy());
      client.on("error", () => host.destroy());
      delay(client, host);
      delay(host, client);
    }, 2 * oneWayMs);
  });
  server.listen(at.port, at.address);
  await once(server, "listening");
  return server;
}

function delay(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.on("data", (chunk) => void setTimeout(() => to.destroyed || to.write(chunk), oneWayMs));
  from.resume();
  from.on("end", () => void setTimeout(() => to.end(), oneWayMs));
  from.on("close", (failed) => void setTimeout(() => failed && to.destroy(), oneWayMs));
}
