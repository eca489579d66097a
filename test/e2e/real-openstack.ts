/**
 * `npm run lab:openstack`: a real OpenStack of Debian's packages is set up, and its servers are hosts of the lab. The play of
 * the recordings is played there, and two machines live there through the executable. With `--record` the recordings become
 * this play's. Whatever ends it, nothing of it is left.
 */
import assert from "node:assert/strict";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { unlessAborted } from "../../src/system/waiting.ts";
import { account } from "../drivers/openstack/fake-keystone.ts";
import { playForReal } from "../drivers/openstack/real-play.ts";
import { CloudHosts } from "../lab/cloud-hosts.ts";
import { openLab } from "../lab/lab.ts";
import { CloudClient } from "../lab/openstack/client.ts";
import { startRealCloud, type RealCloud } from "../lab/openstack/real-cloud.ts";
import { waitUntil } from "../lab/wait.ts";
import { liveAt, type LabCloud } from "./cloud-life.ts";
import { output, type Watching } from "./program.ts";

const portBoundMs = 120_000;
const began = performance.now();

function say(line: string): void {
  process.stderr.write(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)}  ${line}\n`);
}

/** What both lives are told. */
interface Place {
  readonly cloud: RealCloud;
  readonly client: CloudClient;
  readonly hosts: CloudHosts;
  readonly watching: Watching;
}

async function run(signal: AbortSignal): Promise<void> {
  await using lab = await openLab({ report: say });
  const hosts = new CloudHosts(lab);
  say("setting OpenStack up");
  await using cloud = await unlessAborted(startRealCloud(lab, hosts), signal);
  const client = await CloudClient.logIn(cloud.authUrl, account);
  say("OpenStack is there; the play of the recordings");
  say(`played: ${await playForReal(cloud.authUrl, process.argv.includes("--record"), signal)} requests`);
  assert.deepEqual([await resourcesOf(client), hosts.size], [[], 0]);
  const place: Place = { cloud, client, hosts, watching: await watchingOf(cloud, signal) };
  say("a machine with a security group, a floating IP and a data volume, by an application credential");
  await unlessAborted(liveAt(await withFloatingAddress(place)), signal);
  say("a machine whose root is a volume, with a key pair of the user's, by clouds.yaml; it moves while it is off");
  await unlessAborted(liveOnVolume(place), signal);
  say(`all lived: ${await cloud.heard()} requests, and OpenStack lists nothing that is left`);
}

/** Says each command with its time and the requests that OpenStack heard meanwhile. */
async function watchingOf(cloud: RealCloud, signal: AbortSignal): Promise<Watching> {
  let before = await cloud.heard();
  return {
    signal,
    report: async (line) => {
      const now = await cloud.heard();
      say(`${line}, ${now - before} requests`);
      before = now;
    },
  };
}

function common({
  cloud,
  client,
  hosts,
  watching,
}: Place): Pick<LabCloud, "driver" | "hosts" | "heard" | "resources" | "watching"> {
  return {
    driver: "openstack",
    hosts,
    watching,
    heard: async () => await cloud.heard(),
    resources: async () => await resourcesOf(client),
  };
}

async function withFloatingAddress(place: Place): Promise<LabCloud> {
  const { client, cloud } = place;
  const request = `POST /users/${client.userId}/application_credentials`;
  const wish = { application_credential: { name: "machines", roles: [{ name: "member" }] } };
  const { id, secret } = await client.ask<Credential>("identity", request, "application_credential", wish);
  return {
    ...common(place),
    flags: ["--openstack-open-cidr", "192.0.2.0/24", "--openstack-floatingip-pool", "public", "--openstack-volume-size", "1"],
    env: {
      OS_AUTH_URL: cloud.authUrl,
      OS_APPLICATION_CREDENTIAL_ID: id,
      OS_APPLICATION_CREDENTIAL_SECRET: secret,
      OS_FLAVOR_NAME: "m1.small",
      OS_IMAGE_NAME: "debian",
    },
    secrets: [secret],
    keepsAddress: true,
    toldUserData: async () => place.hosts.userDataOf((await serverOf(client)).id),
  };
}

interface Credential {
  readonly id: string;
  readonly secret: string;
}

async function liveOnVolume(place: Place): Promise<void> {
  const { client, cloud } = place;
  await using folder = await mkdtempDisposable(path.join(tmpdir(), "openstack-lane-"));
  const [clouds, key] = [path.join(folder.path, "clouds.yaml"), path.join(folder.path, "id_ed25519")];
  const auth = { auth_url: cloud.authUrl, username: account.user, password: account.password, project_name: account.project };
  const entry = { auth: { ...auth, user_domain_id: account.domainId, project_domain_id: account.domainId } };
  await writeFile(clouds, JSON.stringify({ clouds: { lab: entry } }), { mode: 0o600 });
  await output("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const publicKey = (await output("ssh-keygen", ["-y", "-f", key])).trim();
  await client.ask("compute", "POST /os-keypairs", "keypair", { keypair: { name: "alices", public_key: publicKey } });
  await liveAt({
    ...common(place),
    flags: [
      ...["--openstack-boot-from-volume", "--openstack-volume-size", "4"],
      ...["--openstack-keypair-name", "alices", "--openstack-private-key-file", key],
      ...["--openstack-flavor-name", "m1.small", "--openstack-image-name", "debian-12-x86_64"],
    ],
    env: { OS_CLOUD: "lab", OS_CLIENT_CONFIG_FILE: clouds },
    secrets: [account.password],
    resources: async () => (await resourcesOf(client)).filter((each) => each !== "key pair alices"),
    toldUserData: async () => place.hosts.userDataOf((await serverOf(client)).id),
    whileOff: async () => await giveAnotherPort(client),
  });
  await client.ask("compute", "DELETE /os-keypairs/alices", "");
}

interface Named {
  readonly id: string;
  readonly name: string;
}

async function serverOf(client: CloudClient): Promise<Named> {
  const [server] = await client.ask<readonly Named[]>("compute", "GET /servers", "servers");
  assert.ok(server !== undefined, "Nova lists the machine");
  return server;
}

/** Its address is another from then on. */
async function giveAnotherPort(client: CloudClient): Promise<void> {
  const { id } = await serverOf(client);
  const at = `/servers/${id}/os-interface`;
  const [port] = await client.ask<readonly Port[]>("compute", `GET ${at}`, "interfaceAttachments");
  assert.ok(port !== undefined, "the machine has a port");
  const wish = { interfaceAttachment: { net_id: port.net_id } };
  await client.ask("compute", `POST ${at}`, "interfaceAttachment", wish);
  await client.ask("compute", `DELETE ${at}/${port.port_id}`, "");
  await waitUntil("the end of the machine's first port", portBoundMs, async () =>
    (await client.ask<readonly Port[]>("compute", `GET ${at}`, "interfaceAttachments")).length === 1 ? true : undefined,
  );
}

interface Port {
  readonly port_id: string;
  readonly net_id: string;
}

/** All that the project has, but what each project begins with. */
async function resourcesOf(client: CloudClient): Promise<readonly string[]> {
  const [servers, pairs, addresses, groups, ports, volumes] = await Promise.all([
    client.ask<readonly Named[]>("compute", "GET /servers/detail", "servers"),
    client.ask<readonly { readonly keypair: { readonly name: string } }[]>("compute", "GET /os-keypairs", "keypairs"),
    client.ask<readonly { readonly floating_ip_address: string }[]>("network", "GET /floatingips", "floatingips"),
    client.ask<readonly Named[]>("network", "GET /security-groups", "security_groups"),
    client.ask<readonly Named[]>("network", "GET /ports", "ports"),
    client.ask<readonly Named[]>("volumev3", "GET /volumes", "volumes"),
  ]);
  return [
    ...servers.map(({ name }) => `server ${name}`),
    ...pairs.map(({ keypair }) => `key pair ${keypair.name}`),
    ...addresses.map((each) => `floating IP ${each.floating_ip_address}`),
    ...groups.flatMap(({ name }) => (name === "default" ? [] : [`security group ${name}`])),
    ...ports.map(({ id }) => `port ${id}`),
    ...volumes.map(({ id }) => `volume ${id}`),
  ];
}

// Heard again and again: npm passes on the Ctrl-C that its terminal has given to both.
const ending = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(name, () => ending.abort(new Error(`it was ended by ${name}`)));
try {
  await run(ending.signal);
  process.exit(0);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
