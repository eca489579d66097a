/** `create --driver generic` on real hosts: how long, how many round trips, and what doing four at once gains. */
import { createMachine, createContext, driverOptions, removeMachine, type MachineContext } from "../../src/index.ts";
import { defaultValue } from "../../src/driver-kit/create-flag.ts";
import { sharedCreateFlags } from "../../src/cli/create/shared-flags.ts";
import { driverModule } from "../../src/drivers/generic/index.ts";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { genericFlags } from "../e2e/generic-flags.ts";
import { Program } from "../e2e/program.ts";
import { median, medianOf, repetitions, timeOf, type Row } from "./measure.ts";

const targetMs = 3_500;
const targetRoundTrips = 12;

export async function measureCreate(): Promise<readonly Row[] | string> {
  const unavailable = await labUnavailableReason();
  if (unavailable !== undefined) return unavailable;
  await using lab = await openLab();
  const hosts = await startHosts(lab, 4);
  const [host] = hosts;
  if (host === undefined) return "no host";
  await using program = await Program.open();
  await program.ok(["create", ...createFlags([host]), "warm"]);
  const env = await medianOf(async () => await program.ok(["env", "warm"]));
  const ls = await medianOf(async () => await program.ok(["ls"]));
  await program.ok(["rm", "-y", "warm"]);
  return [
    { what: "create", value: await measureFresh(lab, program), target: targetMs, note: "0.16.2: 14 s" },
    {
      what: "SSH commands of a create",
      value: await countRoundTrips(program, host),
      unit: "",
      target: targetRoundTrips,
      note: "0.16.2: 28 processes",
    },
    { what: "env, 1 machine", value: env },
    { what: "ls, 1 machine", value: ls },
    ...(await measureFour(program, hosts)),
  ];
}

async function startHosts(lab: Lab, count: number): Promise<LabHost[]> {
  const hosts: LabHost[] = [];
  for (let index = 0; index < count; index += 1) hosts.push(await lab.start("bookworm-engine"));
  return hosts;
}

function createFlags(hosts: readonly LabHost[]): string[] {
  const [first] = hosts;
  if (first === undefined) return [];
  const [, ...rest] = genericFlags(first);
  return ["--driver", "generic", ...hosts.map(({ address }) => `--generic-ip-address=${address}`), ...rest];
}

/** Each time on a host that was never seen before: the engine is there, nothing of ours is. */
async function measureFresh(lab: Lab, program: Program): Promise<number> {
  const values: number[] = [];
  for (let index = 0; index < repetitions; index += 1) {
    await using host = await lab.start("bookworm-engine");
    values.push(await timeOf(async () => await program.ok(["create", ...createFlags([host]), "fresh"])));
    await program.ok(["rm", "-y", "fresh"]);
  }
  return median(values);
}

async function countRoundTrips(program: Program, host: LabHost): Promise<number> {
  let commands = 0;
  const context = createContext({ storagePath: `${program.folder}/counted` });
  const counting: MachineContext = {
    ...context,
    openSsh: async (target, report) => {
      const ssh = await context.openSsh(target, report);
      const close = ssh.close.bind(ssh);
      let counted = false;
      ssh.close = async () => {
        if (!counted) commands += ssh.roundTrips;
        counted = true;
        await close();
      };
      ssh[Symbol.asyncDispose] = async () => await ssh.close();
      return ssh;
    },
  };
  const defaults = Object.fromEntries(
    [...sharedCreateFlags, ...driverModule.flags].map((flag) => [flag.name, defaultValue(flag)]),
  );
  const given = {
    "generic-ip-address": host.address,
    "generic-ssh-key": host.privateKeyPath,
    "generic-ssh-user": host.sshUser,
    "generic-ssh-port": host.sshPort,
  };
  const options = driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)));
  await createMachine(counting, { name: "counted", driverName: "generic", options }, AbortSignal.timeout(120_000));
  await removeMachine(context, { name: "counted", force: false, restore: false }, AbortSignal.timeout(30_000));
  return commands;
}

/** The hosts were set up before: what is measured is looking, comparing, certificates and the engine's restart. */
async function measureFour(program: Program, hosts: readonly LabHost[]): Promise<Row[]> {
  const names = hosts.map((_, index) => `m${index + 1}`);
  const remove = async (): Promise<unknown> => await program.ok(["rm", "-y", ...names]);
  const inSequence = await timeOf(async () => {
    for (const [index, host] of hosts.entries()) await program.ok(["create", ...createFlags([host]), names[index] ?? ""]);
  });
  await remove();
  const atOnce = await timeOf(async () => await program.ok(["create", ...createFlags(hosts), ...names]));
  await remove();
  return [
    { what: "create of 4 hosts, one after the other", value: inSequence },
    { what: "create of 4 hosts at once", value: atOnce, note: `${(inSequence / atOnce).toFixed(1)} times as fast` },
  ];
}
