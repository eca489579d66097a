/**
 * The whole life of a machine at a cloud through the program, the same for every cloud: the provider is an emulator, or
 * OpenStack itself, and its machines are hosts of the lab.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { CloudHosts } from "../lab/cloud-hosts.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { dockerEnvironment, runContainer } from "./docker-client.ts";
import { Program, type Watching } from "./program.ts";

export interface LabCloud {
  readonly driver: string;
  readonly flags: readonly string[];
  /** What the program's user has set: credentials, and where the emulator is. */
  readonly env: Readonly<Record<string, string>>;
  /** Fields of the driver's record once the machine is made. */
  readonly record?: Readonly<Record<string, unknown>>;
  /** What may stand in no record and no output. */
  readonly secrets: readonly string[];
  readonly hosts: CloudHosts;
  /** How many requests the emulator has heard. */
  heard(): Promise<number>;
  /** The emulator's own list of all there is. */
  resources(): Promise<readonly unknown[]>;
  /** User data that a machine's metadata service tells once it was set up; undefined where it tells none. */
  toldUserData(): Promise<string | undefined>;
  /** What befalls a machine while it is off. */
  whileOff?(): Promise<void>;
  /** A machine is started where it was stopped. */
  readonly keepsAddress?: boolean;
  readonly watching?: Watching;
}

const unavailable = await labUnavailableReason();

/** Declares the test. @param missing why the emulator cannot run here, if so @param play has it, and lives at it */
export function testLife(machines: string, missing: string | false, play: (hosts: CloudHosts) => Promise<void>): void {
  test(`the whole life of ${machines}`, { skip: unavailable ?? missing }, async () => {
    await using lab = await openLab();
    await play(new CloudHosts(lab));
  });
}

export async function liveAt(cloud: LabCloud): Promise<void> {
  const { env, hosts } = cloud;
  await using program = await Program.open(undefined, cloud.watching);
  const created = await program.run(["create", "-d", cloud.driver, ...cloud.flags, "web"], { env });
  assert.equal(created.status, 0, created.stdout + created.stderr);
  assert.match(created.stdout, /Host key of web is SHA256:\S+/u);
  const first = (await program.ok(["ip", "web"])).trim();
  await assertUsable(program, cloud);
  await assertFreshHostKeys(program, await cloud.toldUserData());
  const record = await readFile(path.join(program.store, "machines/web/config.json"), "utf8");
  const { Driver } = JSON.parse(record) as { readonly Driver: Readonly<Record<string, unknown>> };
  for (const [field, value] of Object.entries(cloud.record ?? {})) assert.deepEqual(Driver[field], value, field);
  for (const secret of cloud.secrets) assert.ok(!`${record}${created.stdout}${created.stderr}`.includes(secret));

  const heard = await cloud.heard();
  assert.match(await program.ok(["ls"]), new RegExp(`^web\\s+-\\s+${cloud.driver}\\s+Running\\s+tcp:`, "mu"));
  assert.equal(await cloud.heard(), heard, "ls asks the engine, and no provider");

  await program.ok(["restart", "web"], { env });
  await assertUsable(program, cloud);
  await program.ok(["stop", "web"], { env });
  assert.equal(await program.ok(["status", "web"], { env }), "Stopped\n");
  await cloud.whileOff?.();
  await program.ok(["start", "web"], { env });
  const second = (await program.ok(["ip", "web"])).trim();
  assert.equal(second === first, cloud.keepsAddress === true, `${first}, and then ${second}`);
  await assertCertified(program, second);
  await assertUsable(program, cloud);
  await program.ok(["upgrade", "web"], { env });
  await program.ok(["regenerate-certs", "--force", "web"], { env });
  await assertUsable(program, cloud);
  await program.ok(["kill", "web"], { env });
  await program.ok(["rm", "-y", "web"], { env });
  assert.deepEqual([await cloud.resources(), hosts.size], [[], 0]);
}

async function assertUsable(program: Program, { watching }: LabCloud): Promise<void> {
  await runContainer(await dockerEnvironment(program));
  await watching?.report?.("docker run on web: it works");
  assert.equal(await program.ok(["ssh", "web", "hostname"]), "web\n");
}

/** The keys that the metadata service tells are not those that the machine proves itself with any more. */
async function assertFreshHostKeys(program: Program, told: string | undefined): Promise<void> {
  if (told === undefined) return;
  const own = await program.ok(["ssh", "web", "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
  assert.ok(told.includes("ssh-ed25519 ") && !told.includes(own.split(" ")[1] ?? "ssh-ed25519"));
}

/** The engine proves itself for this address. */
async function assertCertified(program: Program, host: string): Promise<void> {
  const read = async (name: string): Promise<Buffer> => await readFile(path.join(program.store, "machines/web", name));
  const [ca, cert, key] = await Promise.all(["ca.pem", "cert.pem", "key.pem"].map(read));
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port: 2376, ca, cert, key }, () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
