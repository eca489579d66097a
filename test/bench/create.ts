/** `create --driver generic` on real hosts: how long, how many round trips, and what doing four at once gains. */
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { genericFlags } from "../e2e/generic-flags.ts";
import { countRoundTrips } from "../e2e/round-trips.ts";
import { Program } from "../e2e/program.ts";
import { median, medianOf, repetitions, timeOf, type Row } from "./measure.ts";

const targetMs = 2_000;
const targetRoundTrips = 8;
const installationAllowanceMs = 2_000;

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
    ...(await measureFresh(lab, program)),
    {
      what: "SSH commands of a create",
      value: await countRoundTrips(program.folder, host),
      unit: "",
      target: targetRoundTrips,
      note: "0.16.2: 28 processes",
    },
    { what: "env, 1 machine", value: env },
    { what: "ls, 1 machine", value: ls },
    ...(await measureFour(program, hosts)),
    ...(await measureInstallation(lab, program)),
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

/**
 * Each time on a host that was never seen before: the engine is there, nothing of ours is. Beside it what the host itself
 * takes for what has to be done there, by hand.
 */
async function measureFresh(lab: Lab, program: Program): Promise<Row[]> {
  const [creates, restarts]: [number[], number[]] = [[], []];
  for (let index = 0; index < repetitions; index += 1) {
    await using host = await lab.start("bookworm-engine");
    creates.push(await timeOf(async () => await program.ok(["create", ...createFlags([host]), "fresh"])));
    restarts.push(await timeOf(async () => await host.sh("systemctl daemon-reload && systemctl restart docker")));
    await program.ok(["rm", "-y", "fresh"]);
  }
  return [
    { what: "create", value: median(creates), target: targetMs, note: "0.16.2: 14 s" },
    { what: "of that the engine's restart, by itself on the same host", value: median(restarts) },
  ];
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

/** The same packages from the same mirror, by the command that a manual gives, run on the host itself. */
async function measureInstallation(lab: Lab, program: Program): Promise<Row[]> {
  await using plain = await lab.start("bookworm");
  await using host = await lab.start("bookworm");
  const bareMs = await timeOf(
    async () =>
      await plain.sh(
        "export DEBIAN_FRONTEND=noninteractive; { apt-get update && apt-get install -y --no-install-recommends docker.io; } > /dev/null 2>&1",
      ),
  );
  const createMs = await timeOf(
    async () => await program.ok(["create", ...createFlags([host]), "--engine-source", "distro", "web"]),
  );
  return [
    { what: "apt-get update and install of Debian's engine", value: bareMs },
    { what: "create with that installation", value: createMs, target: bareMs + installationAllowanceMs },
  ];
}
