/**
 * Clouds: what a create asks of EC2, beside 0.16.2 on the same emulator; many creates at once under AWS's own rates; a list
 * of many machines, which asks no provider. Instances have addresses of this computer's loopback network, and nothing listens
 * there: a create is ended when it waits for SSH.
 */
import { spawn } from "node:child_process";
import { DescribeSubnetsCommand } from "@aws-sdk/client-ec2";
import { accountAt } from "../drivers/amazonec2/account.ts";
import { serveHardware, type Settle } from "../lab/cloud-hardware.ts";
import { motoMissing, startMoto, type Moto, type SeenRequest } from "../drivers/amazonec2/moto.ts";
import { Program } from "../e2e/program.ts";
import { original, originalMissing } from "../support/original.ts";
import { measureList } from "./cloud-list.ts";
import type { Row } from "./measure.ts";

const pendingSeconds = 10;
const atOnce = 20;
const boundMs = 180_000;

export async function measureClouds(): Promise<readonly Row[] | string> {
  if (motoMissing !== false) return motoMissing;
  await using moto = await startMoto();
  await using hardware = await serveHardware(loopbackAddresses());
  const rig: Rig = { moto, hardwareUrl: hardware.url };
  return [
    ...(await measureCreate("create at EC2, with a subnet and an image's id", rig, undefined, plainFlags)),
    ...(await measureCreate("create at EC2, nothing given but the region", rig, undefined, async () => [])),
    ...(originalMissing !== false
      ? [{ what: "the first by 0.16.2", value: Number.NaN, unit: "", note: `not measured: ${originalMissing}` }]
      : await measureCreate("the first by 0.16.2", rig, original, plainFlags)),
    ...(await measureMany(rig)),
    ...(await measureList()),
  ];
}

interface Rig {
  readonly moto: Moto;
  readonly hardwareUrl: string;
}

/** What 0.16.2 cannot find at an emulator has to be given. */
async function plainFlags({ moto }: Rig): Promise<readonly string[]> {
  const { client } = accountAt(moto);
  const Filters = [{ Name: "availability-zone", Values: ["eu-central-1a"] }];
  const [subnet] = (await client.send(new DescribeSubnetsCommand({ Filters }))).Subnets ?? [];
  return [
    ...["--amazonec2-vpc-id", subnet?.VpcId ?? "", "--amazonec2-subnet-id", subnet?.SubnetId ?? ""],
    ...["--amazonec2-zone", "eu-central-1a", "--amazonec2-ami", "ami-0a000000000002404", "--amazonec2-instance-type", "t3.micro"],
  ];
}

async function reset({ moto, hardwareUrl }: Rig, limited: boolean): Promise<void> {
  await moto.reset();
  await moto.runOn(hardwareUrl);
  await moto.pace(pendingSeconds, limited);
}

/** From the command's start until it waits for SSH: the instance runs, and its address is known. */
async function measureCreate(
  what: string,
  rig: Rig,
  command: string | undefined,
  flagsOf: (rig: Rig) => Promise<readonly string[]>,
): Promise<readonly Row[]> {
  await using program = await Program.open();
  await reset(rig, false);
  const flags = await flagsOf(rig);
  const heard = (await rig.moto.requests()).length;
  const started = performance.now();
  await runUntilSsh(program, rig, command, [...flags, "web"], 1);
  const value = performance.now() - started;
  const asked = (await rig.moto.requests()).slice(heard);
  const polls = asked.filter(({ action }) => action === "DescribeInstances").length;
  const note = `an instance is pending for ${pendingSeconds} s`;
  return [
    { what, value, note },
    { what: "  requests", value: asked.length, unit: "", note: `${polls} of them for the instance's state` },
  ];
}

async function measureMany(rig: Rig): Promise<readonly Row[]> {
  await using program = await Program.open();
  await reset(rig, true);
  const names = Array.from({ length: atOnce }, (_, index) => `m${index + 1}`);
  const started = performance.now();
  await runUntilSsh(program, rig, undefined, names, names.length);
  const value = performance.now() - started;
  const asked = await rig.moto.requests();
  const made = (await accountAt(rig.moto).instances()).length;
  return [
    { what: `create of ${atOnce} at once, under AWS's rates`, value, note: `${made} instances` },
    { what: "  requests", value: asked.length, unit: "", note: `${busiestSecond(asked)} in the busiest second` },
    { what: "  refused as too many, and asked again", value: asked.filter(({ limited }) => limited).length, unit: "" },
  ];
}

function busiestSecond(asked: readonly SeenRequest[]): number {
  return Math.max(...asked.map(({ at }) => asked.filter((other) => other.at >= at && other.at < at + 1).length));
}

/** Ends the program once so many machines wait for SSH; throws what it said where it ended before. */
async function runUntilSsh(
  program: Program,
  { moto }: Rig,
  command: string | undefined,
  args: readonly string[],
  machines: number,
): Promise<void> {
  const [file, ...before] = command === undefined ? program.commandLine : ([command] as const);
  const driver = ["create", "-d", "amazonec2", "--amazonec2-region", "eu-central-1", "--amazonec2-endpoint", moto.url];
  const env = { AWS_ACCESS_KEY_ID: "test-id", AWS_SECRET_ACCESS_KEY: "test-key", AWS_ENDPOINT_URL_SSM: moto.url };
  const child = spawn(file, [...before, ...driver, ...args], { env: program.environment(env), cwd: program.folder });
  let said = "";
  const timer = setTimeout(() => child.kill("SIGKILL"), boundMs);
  const ended = new Promise((resolve) => child.once("close", resolve));
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.split("Waiting for SSH to be available").length > machines) child.kill("SIGKILL");
    });
  await ended;
  clearTimeout(timer);
  if (said.split("Waiting for SSH to be available").length <= machines) throw new Error(`${file} ended too early:\n${said}`);
}

/** Instances that run at once, each at an address of its own on the loopback network. */
function loopbackAddresses(): Settle {
  const addresses = new Map<string, string>();
  return async (machines) => {
    for (const { id } of machines) if (!addresses.has(id)) addresses.set(id, `127.99.0.${addresses.size + 1}`);
    return new Map(machines.map(({ id }) => [id, addresses.get(id) ?? ""]));
  };
}
