/**
 * A real OpenStack for the lab: Keystone, Glance, Placement, Nova, Neutron and Cinder of Debian 12 in one host, set up by
 * `set-up.sh`. Its hypervisor is Nova's own fake one, so a server is an entry that has a port and an address and runs nothing.
 */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type { Lab, LabHost } from "../lab.ts";

const scripts = ["set-up.sh", "catalog.py", "project.py"];
const setUpBoundMs = 1_200_000;

export interface RealCloud {
  readonly host: LabHost;
  readonly authUrl: string;
}

/** Takes ten minutes and two and a half gigabytes of memory. */
export async function startRealCloud(lab: Lab, report: (line: string) => void): Promise<RealCloud> {
  const host = await lab.start("bookworm", { image: "openstack" });
  for (const name of scripts)
    await host.sh(`mkdir -p /root/lab && cat > /root/lab/${name}`, {
      stdin: await readFile(path.join(import.meta.dirname, name)),
    });
  report(`setting OpenStack up in ${host.name}`);
  // Hosts of the lab have the upper half of its subnet, and the engine gives out from its beginning.
  const [first, second] = lab.gateway.split(".");
  const pool = [10, 60].map((last) => `${first}.${second}.4.${last}`);
  const words = [host.address, `${first}.${second}.0.0/20`, lab.gateway, ...pool].join(" ");
  await host.sh(`bash /root/lab/set-up.sh ${words}`, { timeoutMs: setUpBoundMs });
  return { host, authUrl: `http://${host.address}:5000` };
}
