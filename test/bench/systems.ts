/** Provisioning with an installation on systems beyond Debian, against the package manager's own bare install in the same kind of host. */
import { provisionHost } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab, type Lab, type LabHost, type SystemRepositories } from "../lab/lab.ts";
import type { SystemName } from "../lab/systems/systems.ts";
import { openLabMachine } from "../provision/lab-machine.ts";
import { median, timeOf, type Row } from "./measure.ts";

/** Each in hosts of its own; the medians are told, and by how much each pair differs. */
const pairs = 5;

/** What provisioning may add: looking, planning, certificates, the engine's start. */
const allowanceMs = 3_000;

/** The install that a manual gives, run on the host itself; rocky's has Docker's repository to add before. */
const bareInstalls: Partial<Readonly<Record<SystemName, (repositories: SystemRepositories) => string>>> = {
  "rocky-9": ({ url }) => `
    curl -fsS -o /etc/pki/rpm-gpg/RPM-GPG-KEY-docker ${url}/linux/centos/gpg
    printf '[docker-ce-stable]\\nname=Docker CE\\nbaseurl=${url}/linux/centos/9/x86_64/stable\\nenabled=1\\ngpgcheck=1\\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-docker\\n' > /etc/yum.repos.d/docker-ce.repo
    dnf -y --setopt=install_weak_deps=False install docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin`,
  "leap-15.6": () => "zypper -n install --no-recommends docker",
  arch: () => "pacman -Sy --noconfirm docker",
};

export async function measureSystems(): Promise<readonly Row[] | string> {
  const unavailable = await labUnavailableReason();
  if (unavailable !== undefined) return unavailable;
  await using lab = await openLab();
  const rows: Row[] = [];
  for (const [name, bare] of Object.entries(bareInstalls)) rows.push(...(await measureSystem(lab, name as SystemName, bare)));
  return rows;
}

async function measureSystem(
  lab: Lab,
  name: SystemName,
  bare: (repositories: SystemRepositories) => string,
): Promise<readonly Row[]> {
  await using repositories = await lab.serveSystemRepositories(name);
  const start = (): Promise<LabHost> => lab.start(name, { prepare: repositories.sources });
  const bareMs: number[] = [];
  const provisioningMs: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    await using plain = await start();
    bareMs.push(await timeOf(async () => await plain.sh(`set -e; { ${bare(repositories)}\n} > /dev/null 2>&1`)));
    await using host = await start();
    await using machine = await openLabMachine(host);
    const engine = { packageMirror: repositories.url, packageKeys: [repositories.keyFingerprint], source: "auto" } as const;
    provisioningMs.push(await timeOf(async () => await provisionHost(machine.request({ engine }), machine.context)));
  }
  const over = provisioningMs.map((value, pair) => ((value - (bareMs[pair] ?? Number.NaN)) / 1000).toFixed(1));
  return [
    { what: `${name}: the manager's bare install`, value: median(bareMs) },
    {
      what: `${name}: provisioning with an installation`,
      value: median(provisioningMs),
      target: Math.round(median(bareMs) + allowanceMs),
      note: `pair by pair ${over.join(", ")} s more`,
    },
  ];
}
