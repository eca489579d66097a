/**
 * A real OpenStack for the lab: Keystone, Glance, Placement, Nova, Neutron and Cinder of Debian 12 in one host, set up by
 * `set-up.sh`. Its servers are other hosts of the lab, at the addresses that Neutron gives them.
 */
import { readdir, readFile } from "node:fs/promises";
import * as path from "node:path";
import { lockFile } from "../../../src/system/file-lock.ts";
import type { CloudHosts } from "../cloud-hosts.ts";
import { serveHardware } from "../cloud-hardware.ts";
import type { Lab } from "../lab.ts";
import { labPaths } from "../paths.ts";

const setUpBoundMs = 1_200_000;
const logs = ["keystone/keystone", "nova/nova-api", "neutron/neutron-api", "glance/glance-api", "cinder/cinder-api"];

export interface RealCloud extends AsyncDisposable {
  readonly authUrl: string;
  /** How many requests its services heard from this computer, by their own logs. */
  heard(): Promise<number>;
}

/** Takes five minutes or more, and two and a half gigabytes of memory. @param hosts what its servers are to be */
export async function startRealCloud(lab: Lab, hosts: CloudHosts): Promise<RealCloud> {
  const lock = await lockFile(labPaths.openstackLock, { what: "the lab's OpenStack", purpose: "run", waitMs: 0 });
  const lend = hosts.lend.bind(hosts);
  const hardware = await serveHardware(hosts.settle.bind(hosts), { address: lab.gateway, lend });
  const host = await lab.start("bookworm", { image: "openstack" });
  for (const name of (await readdir(import.meta.dirname)).filter((each) => /\.(?:py|sh)$/u.test(each)))
    await host.sh(`mkdir -p /root/lab && cat > /root/lab/${name}`, {
      stdin: await readFile(path.join(import.meta.dirname, name)),
    });
  // Hosts of the lab have the upper half of its subnet, and the engine gives out from its beginning.
  const [fixed, floating] = ["4", "5"].map((third) => lab.gateway.replace(/\.\d+\.\d+$/u, `.${third}`));
  const words = [host.address, fixed, floating, hardware.url].join(" ");
  await host.sh(`bash /root/lab/set-up.sh ${words}`, { timeoutMs: setUpBoundMs });
  const files = logs.map((name) => `/var/log/${name}.log`).join(" ");
  return {
    authUrl: `http://${host.address}:5000`,
    heard: async () => Number(await host.sh(`cat ${files} | grep -cF ' ${lab.gateway} () {' || true`)),
    [Symbol.asyncDispose]: async () => {
      await host.stop();
      await hardware[Symbol.asyncDispose]();
      await lock[Symbol.asyncDispose]();
    },
  };
}
