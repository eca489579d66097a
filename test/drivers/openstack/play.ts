/**
 * A machine's life at an OpenStack, and then what is refused: the same play on the fake and on a real one, so that what
 * both answered can be compared.
 */
import type { Driver, DriverContext } from "../../../src/driver-kit/driver.ts";
import { HttpApi } from "../../../src/driver-kit/http-api.ts";
import type { MachineState } from "../../../src/driver-kit/state.ts";
import { driverModule } from "../../../src/drivers/openstack/index.ts";
import { OpenStackApi } from "../../../src/drivers/openstack/api.ts";
import { newConfig, type OpenStackConfig } from "../../../src/drivers/openstack/options.ts";
import type { Service } from "../../../src/drivers/openstack/session.ts";
import { poll } from "../../../src/system/waiting.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import type { Flags } from "../driver-scene.ts";

const boundMs = 180_000;
const somebody = "00000000-0000-4000-8000-000000000000";

export async function play(context: DriverContext, flags: Flags, signal: AbortSignal): Promise<void> {
  const driver = driverModule.open(context, undefined);
  await driver.setConfigFromFlags(optionsOf(driverModule, flags));
  await driver.preCreateCheck(signal);
  try {
    await driver.create(signal);
    await live(driver, context, signal);
    const config = JSON.parse(await driver.configText()) as OpenStackConfig;
    await beRefused(context, config, signal);
  } finally {
    await driver.remove(signal);
  }
}

async function live(driver: Driver, context: DriverContext, signal: AbortSignal): Promise<void> {
  const until = async (state: MachineState): Promise<void> => {
    const isThere = async (): Promise<true | undefined> => ((await driver.getState(signal)) === state ? true : undefined);
    await poll({ ms: boundMs, clock: context.clock, signal }, 1_000, isThere, `The instance was not ${state}`);
  };
  await until("Running");
  await driver.locate?.(signal);
  await driver.stop(signal);
  await until("Stopped");
  await driver.start(signal);
  await until("Running");
  await driver.restart(signal);
  await driver.findResources?.(signal);
}

/** Requests that fail, in the order of the services. */
async function beRefused(context: DriverContext, config: OpenStackConfig, signal: AbortSignal): Promise<void> {
  const api = new OpenStackApi(context, { ...newConfig(), ...config });
  const ask = async (service: Service, request: string, body?: object): Promise<void> => {
    const [method = "", path = ""] = request.split(" ");
    const retry = { attempts: 1 };
    await api.send(service, { method: method as "GET", path, body, retry }, signal).catch(() => signal.throwIfAborted());
  };
  const server = {
    name: "refused",
    flavorRef: config.FlavorId,
    imageRef: config.ImageId,
    networks: [{ uuid: config.NetworkId }],
  };
  await ask("compute", `GET /servers/${somebody}`);
  await ask("compute", `DELETE /servers/${somebody}`);
  await ask("compute", "GET /os-keypairs/nobodys");
  await ask("compute", "DELETE /os-keypairs/nobodys");
  await ask("compute", "POST /os-keypairs", {
    keypair: {
      name: config.KeyPairName,
      public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIiR2mX0z0rC1mJtPEqtmUqHgPq1sFJx4tJ2eN2rXyAb k",
    },
  });
  await ask("compute", "POST /os-keypairs", { keypair: { name: "odd", public_key: "no key" } });
  await ask("compute", "POST /servers", { server: { ...server, flavorRef: "99" } });
  await ask("compute", "POST /servers", { server: { ...server, imageRef: somebody } });
  await ask("compute", "POST /servers", { server: { ...server, key_name: "nobodys" } });
  await ask("compute", "POST /servers", { server: { ...server, networks: [{ uuid: somebody }] } });
  await ask("compute", "POST /servers", { server: { ...server, security_groups: [{ name: "nobodys" }] } });
  await ask("compute", "POST /servers", { server: { ...server, availability_zone: "attic" } });
  await ask("compute", `POST /servers/${config.MachineId}/action`, { "os-start": null });
  const [volumeId] = config.Resources.flatMap((entry) => (entry.startsWith("volume=") ? [entry.slice("volume=".length)] : []));
  await ask("compute", `POST /servers/${config.MachineId}/os-volume_attachments`, { volumeAttachment: { volumeId } });
  await ask("network", `GET /floatingips/${somebody}`);
  await ask("network", `DELETE /security-groups/${somebody}`);
  await ask("network", "POST /floatingips", { floatingip: { floating_network_id: somebody } });
  await ask("network", "POST /floatingips", { floatingip: { floating_network_id: config.NetworkId } });
  await ask("network", "POST /security-group-rules", {
    security_group_rule: { security_group_id: somebody, direction: "ingress" },
  });
  await ask("image", `GET /images/${somebody}`);
  await ask("volume", `GET /volumes/${somebody}`);
  await ask("volume", "POST /volumes", { volume: { size: 1_000_000 } });
  await ask("volume", "POST /volumes", { volume: { size: 1, volume_type: "gold" } });
  await wrongPassword(context, config, signal);
}

async function wrongPassword(context: DriverContext, { AuthUrl }: OpenStackConfig, signal: AbortSignal): Promise<void> {
  const http = context.http.trusting({ plainHttp: true });
  const keystone = new HttpApi(
    { ...context, http, secret: (value) => context.secret(value) },
    {
      provider: "OpenStack",
      baseUrl: AuthUrl.replace(/\/+$/u, ""),
      explain: ({ status, text }) => ({ kind: "invalid", code: String(status), message: text }),
      failures: [],
    },
  );
  const user = { name: "alice", domain: { id: "default" }, password: "guessed" };
  const body = { auth: { identity: { methods: ["password"], password: { user } } } };
  await keystone
    .send({ method: "POST", path: "/v3/auth/tokens", body, retry: { attempts: 1 } }, signal)
    .catch(() => signal.throwIfAborted());
}
