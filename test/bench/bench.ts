/**
 * `npm run bench [SECTION…]`: what the program costs, measured in one run on this computer. Sections: everyday, start, create,
 * relay, copy, locks, fleet, fleet-file, ssh, plugins, disks, systems, clouds, hypervisors, machines. A section that cannot run here says why.
 */
import { printRows, type Row } from "./measure.ts";

/** Rows, or the reason why there are none. */
type Section = () => Promise<readonly Row[] | string>;

const sections: Readonly<Record<string, { readonly title: string; readonly load: () => Promise<Section> }>> = {
  everyday: {
    title: "Every day, beside 0.16.2 and bare programs",
    load: async () => (await import("./everyday.ts")).measureEveryday,
  },
  start: { title: "Starting the program", load: async () => (await import("./start.ts")).measureStart },
  create: { title: "create on a host with an engine, over SSH", load: async () => (await import("./create.ts")).measureCreate },
  relay: {
    title: "create of many hosts over a line of 100 ms",
    load: async () => (await import("./relay.ts")).measureRelay,
  },
  copy: { title: "scp of 200 MB, beside OpenSSH's", load: async () => (await import("./copy.ts")).measureCopy },
  locks: { title: "Locks and fsyncs of one command", load: async () => (await import("./locks.ts")).measureLocks },
  fleet: { title: "Fifty machines on one SSH server", load: async () => (await import("./fleet.ts")).measureFleet },
  "fleet-file": {
    title: "A fleet from a file",
    load: async () => (await import("./fleet-file.ts")).measureFleetFile,
  },
  ssh: { title: "SSH connections and commands", load: async () => (await import("./ssh.ts")).measure },
  plugins: { title: "Driver plugins", load: async () => (await import("./plugins.ts")).measure },
  disks: { title: "Disk formats", load: async () => (await import("./disks.ts")).measureDisks },
  systems: {
    title: "Installing an engine on systems beyond Debian",
    load: async () => (await import("./systems.ts")).measureSystems,
  },
  clouds: { title: "Machines at clouds", load: async () => (await import("./clouds.ts")).measureClouds },
  hypervisors: {
    title: "Hypervisors",
    load: async () => (await import("./hypervisors.ts")).measureHypervisors,
  },
  machines: { title: "Machines on this computer", load: async () => (await import("./machines.ts")).measureMachines },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(sections, name));
if (unknown.length > 0) {
  console.error(`No section ${unknown.join(", ")}; there are ${Object.keys(sections).join(", ")}.`);
  process.exitCode = 2;
} else {
  for (const [name, { title, load }] of Object.entries(sections)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const measured = await (await load())();
    if (typeof measured === "string") console.log(`\n${title}\n  not measured: ${measured}`);
    else printRows(title, measured);
  }
}
