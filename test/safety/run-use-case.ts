/**
 * Use cases in a process of their own, to be killed: `run-use-case STORE ENDPOINT COMMAND [ARGUMENT...]`. Prints "ready"
 * when it begins, its result as one line of JSON, and how many instants it came by.
 */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import { isMachineError, MachineError } from "../../src/errors/machine-error.ts";
import { prepareAuthority } from "../../src/machine/certificates.ts";
import { createMachine } from "../../src/machine/create.ts";
import { findLeftovers, removeLeftovers } from "../../src/machine/gc.ts";
import { openHost } from "../../src/machine/host/open-host.ts";
import { workOnHost } from "../../src/machine/host/work-on-host.ts";
import { changeState } from "../../src/machine/lifecycle.ts";
import { listMachines } from "../../src/machine/list.ts";
import { lockMachine } from "../../src/machine/interruption/machine-lock.ts";
import { throwFailures } from "../../src/machine/many.ts";
import { provisionRequest } from "../../src/machine/provision-machine.ts";
import { removeMachine } from "../../src/machine/remove.ts";
import { setSecrets } from "../../src/machine/secrets/set-secrets.ts";
import type { ProgressEvent } from "../../src/log/event.ts";
import { instantsSoFar } from "./killable/instant.ts";
import { safetyContext } from "./safety-context.ts";

const [storePath = "", endpoint = "", command = "", name = "", extra = ""] = process.argv.slice(2);
const context = safetyContext(storePath);
const interrupt = new AbortController();
const signal = AbortSignal.any([interrupt.signal, AbortSignal.timeout(300_000)]);

/** As the command line does it. */
process.on("SIGINT", () => {
  if (interrupt.signal.aborted) process.exit(130);
  process.stdout.write("interrupted\n");
  interrupt.abort(new MachineError("interrupted", "Interrupted"));
});

/** The flags of a create at the fake cloud. */
function createFlags(token = "first-token", keyType = "ecdsa"): Record<string, string> {
  return { "fakecloud-endpoint": endpoint, "fakecloud-token": token, "tls-key-type": keyType };
}

async function create(): Promise<void> {
  await createMachine(
    context,
    { name, driverName: "fakecloud", options: driverOptions(createFlags(undefined, extra || "ecdsa")) },
    signal,
  );
}

function printLog(event: ProgressEvent): void {
  if (event.type === "log") console.log(event.text);
}

/** `provision` but for what it does on the host: new certificates in the machine's folder, under the journal. */
async function provision(waitMs = context.timeouts.lockMs): Promise<void> {
  const impatient = { ...context, timeouts: { ...context.timeouts, lockMs: waitMs }, reportFor: () => printLog };
  await using _lock = await lockMachine(impatient, name, "provision", signal);
  await using host = await openHost(context, name);
  await prepareAuthority(context, signal, "ecdsa");
  const work = { command: "provision", step: "provision" } as const;
  await workOnHost(context, host, work, signal, async () => void (await provisionRequest(context, host)));
}

async function ip(): Promise<string> {
  await using host = await openHost(context, name);
  return await host.driver.getIp();
}

async function remove(): Promise<void> {
  await removeMachine(context, { name, force: false, restore: false }, signal);
}

/** Counts in one of the machines in `name` after the other, `extra` times in all, with its lock. */
async function count(): Promise<void> {
  const machines = name.split(",");
  const patient = { ...context, timeouts: { ...context.timeouts, lockMs: 240_000 } };
  const locked = async (machine: string): Promise<AsyncDisposable> => {
    for (;;) {
      try {
        return await lockMachine(patient, machine, "count", signal);
      } catch (error) {
        // Where many begin at once, a database is asked for more than it answers in time; nothing was changed then.
        if (!isMachineError(error, "store-unreachable")) throw error;
      }
    }
  };
  const first = randomInt(machines.length);
  for (let change = 0; change < Number(extra); change += 1) {
    const machine = machines[(first + change) % machines.length] ?? "";
    await using _lock = await locked(machine);
    const record = await context.store.load(machine);
    const { Count } = JSON.parse(record.driverConfigText) as { Count: number };
    await context.store.save({ ...record, driverConfigText: JSON.stringify({ Count: Count + 1 }) });
  }
}

/** Holds the machine's lock until it is killed. */
async function hold(): Promise<never> {
  await using _lock = await lockMachine(context, name, "hold", signal);
  return await new Promise(() => setInterval(() => {}, 60_000));
}

/** Makes, changes and removes machines until it is killed. */
async function churn(): Promise<never> {
  for (;;) {
    await create();
    await changeState(context, name, "restart", signal);
    await remove();
  }
}

/** Lists all machines and asks for an address that many times; whatever goes wrong ends it. */
async function read(): Promise<number> {
  let seen = 0;
  for (let count = 0; count < Number(extra); count += 1) {
    const listed = await listMachines(context, { timeoutMs: 60_000 }, signal);
    const broken = listed.find(({ error, state }) => state === "Error" || error.includes("interrupted"));
    if (broken !== undefined) throw new Error(JSON.stringify(broken));
    seen += listed.length;
    if ((await ip()) === "") throw new Error("no address");
  }
  return seen;
}

/** The file of `name`; machines to be replaced are in `extra`. */
async function apply(): Promise<void> {
  const { applyFleet } = await import("./apply-fleet.ts");
  await applyFleet(context, readFileSync(name, "utf8"), extra === "" ? [] : extra.split(","), signal);
}

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  create,
  apply,
  provision: async () => await provision(),
  "provision-briefly": async () => await provision(Number(extra)),
  ip,
  churn,
  count,
  hold,
  "create-provisioned": async () => {
    await create();
    await provision();
  },
  read,
  rm: remove,
  start: async () => await changeState(context, name, "restart", signal),
  rotate: async () => await setSecrets(context, name, new Map([["fakecloud-token", extra]]), signal),
  ls: async () => await listMachines(context, { timeoutMs: 10_000 }, signal),
  gc: async () => await findLeftovers(context, signal),
  "gc-remove": async () => throwFailures(await removeLeftovers(context, await findLeftovers(context, signal), signal)),
};

process.stdout.write("ready\n");
try {
  const result = await commands[command]?.();
  console.log(JSON.stringify({ result, instants: instantsSoFar() }));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
