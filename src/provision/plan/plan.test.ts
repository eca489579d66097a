/**
 * Plans as people read them, one recorded text each in test/golden/plans. To record anew after a deliberate change:
 * UPDATE_GOLDEN=1 node --test src/provision/plan/plan.test.ts
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { failureOf } from "../../../test/support/failure.ts";
import { debianEngine, hostFacts, provisionRequest, runningAnswer } from "../../../test/support/host-facts.ts";
import type { MachineError } from "../../errors/machine-error.ts";
import { detectFamily } from "../families/detect-family.ts";
import type { HostFacts } from "../facts/facts.ts";
import { formatPlan } from "./format-plan.ts";
import { planProvision, type Plan } from "./plan.ts";
import type { ProvisionRequest } from "../provision-request.ts";

type FactsOverrides = NonNullable<Parameters<typeof hostFacts>[0]>;
type RequestOverrides = NonNullable<Parameters<typeof provisionRequest>[0]>;

function survival(engine: FactsOverrides["engine"]): string {
  return planOf(hostFacts({ engine: { ...debianEngine, ...running, ...engine } }), provisionRequest()).survival.kind;
}

const container = (name: string): { id: string; name: string; image: string } => ({ id: "0".repeat(64), name, image: "app" });
const running = { containers: [container("db"), container("web")] };
const os = (id: string, prettyName: string, more: FactsOverrides["os"] = {}): FactsOverrides["os"] => ({
  id,
  prettyName,
  codename: "",
  versionId: "",
  ...more,
});

const cases: Readonly<Record<string, readonly [FactsOverrides, RequestOverrides]>> = {
  "debian-fresh": [{}, {}],
  "debian-minimal": [
    {
      programs: new Set(),
      caCertificates: false,
      packageLock: { file: "/var/lib/dpkg/lock-frontend", pid: 77, program: "apt-get" },
    },
    {},
  ],
  "debian-made-by-us": [
    { hostName: "debian", clockSkewMs: -86_400_000 },
    { adopted: false, driverName: "amazonec2", engine: { version: "27.3.1" } },
  ],
  "debian-busy": [{ engine: { ...debianEngine, ...running } }, { engine: { labels: ["rack=3"], version: "27.3.1" } }],
  "debian-in-a-swarm": [{ engine: { ...debianEngine, ...running, answer: { ...runningAnswer, swarmActive: true } } }, {}],
  "debian-daemon-json": [
    { engine: { ...debianEngine, daemonJson: '{\n  "hosts": ["fd://"],\n  "log-driver": "journald"\n}\n' } },
    {},
  ],
  "debian-mirror": [
    {},
    { engine: { source: "docker", packageMirror: "http://mirror.example/docker/", packageKeys: ["A".repeat(40)] } },
  ],
  "debian-script": [{}, { engine: { source: "script", installUrl: "https://get.docker.com" } }],
  "debian-static": [{}, { engine: { source: "static", version: "27.3.1" } }],
  "debian-firewall": [
    {
      firewall: {
        firewalld: { zone: "public", portOpen: false },
        iptablesRules: [],
        ip6tablesRules: [],
        nftRuleset: [],
        persistentFiles: [],
      },
    },
    {},
  ],
  "debian-skewed": [{ clockSkewMs: 172_800_000, engine: debianEngine }, {}],
  linuxmint: [
    { os: os("linuxmint", "Linux Mint 22", { idLike: ["ubuntu", "debian"], codename: "wilma", ubuntuCodename: "noble" }) },
    {},
  ],
  kali: [
    { os: os("kali", "Kali GNU/Linux Rolling", { idLike: ["debian"], codename: "kali-rolling" }) },
    { engine: { source: "distro" } },
  ],
  raspbian: [
    {
      os: os("raspbian", "Raspbian GNU/Linux 12 (bookworm)", { idLike: ["debian"], codename: "bookworm" }),
      architecture: "armv7l",
    },
    {},
  ],
  "rocky-9": [
    {
      os: os("rocky", "Rocky Linux 9.4 (Blue Onyx)", { idLike: ["rhel", "centos", "fedora"], versionId: "9.4" }),
      packageManagers: ["dnf", "yum"],
    },
    {},
  ],
  "rhel-8": [
    {
      os: os("rhel", "Red Hat Enterprise Linux 8.10 (Ootpa)", { idLike: ["fedora"], versionId: "8.10" }),
      packageManagers: ["dnf", "yum"],
      architecture: "aarch64",
    },
    { engine: { version: "26.1" } },
  ],
  "centos-7": [
    {
      os: os("centos", "CentOS Linux 7 (Core)", { idLike: ["rhel", "fedora"], versionId: "7" }),
      packageManagers: ["yum"],
      kernel: "3.10.0-1160.el7.x86_64",
    },
    {},
  ],
  "fedora-41": [{ os: os("fedora", "Fedora Linux 41 (Server Edition)", { versionId: "41" }), packageManagers: ["dnf"] }, {}],
  "amazon-2": [
    { os: os("amzn", "Amazon Linux 2", { idLike: ["centos", "rhel", "fedora"], versionId: "2" }), packageManagers: ["yum"] },
    {},
  ],
  "amazon-2023": [
    { os: os("amzn", "Amazon Linux 2023", { idLike: ["fedora"], versionId: "2023" }), packageManagers: ["dnf", "yum"] },
    {},
  ],
  "leap-15": [
    {
      os: os("opensuse-leap", "openSUSE Leap 15.6", { idLike: ["suse", "opensuse"], versionId: "15.6" }),
      packageManagers: ["zypper"],
    },
    {},
  ],
  "sles-15": [
    {
      os: os("sles", "SUSE Linux Enterprise Server 15 SP6", { idLike: ["suse"], versionId: "15.6" }),
      packageManagers: ["zypper"],
    },
    {},
  ],
  arch: [{ os: os("arch", "Arch Linux"), packageManagers: ["pacman"] }, {}],
  alpine: [{ os: os("alpine", "Alpine Linux v3.20", { versionId: "3.20.1" }), packageManagers: ["apk"], init: "openrc" }, {}],
  "alpine-static": [
    { os: os("alpine", "Alpine Linux v3.20", { versionId: "3.20.1" }), packageManagers: ["apk"], init: "openrc" },
    { engine: { source: "static" } },
  ],
  flatcar: [
    {
      os: os("flatcar", "Flatcar Container Linux 3975.2.0", { idLike: ["coreos"], versionId: "3975.2.0" }),
      packageManagers: [],
      engine: {
        ...debianEngine,
        ownerPackage: undefined,
        dockerdPath: "/usr/bin/dockerd",
        unitFiles: [
          {
            path: "/usr/lib/systemd/system/docker.service",
            text: "[Service]\nExecStart=/usr/bin/dockerd --host=fd:// --containerd=/var/run/docker/libcontainerd/docker-containerd.sock $DOCKER_SELINUX $DOCKER_OPTS\n",
          },
        ],
      },
    },
    {},
  ],
  "fedora-coreos": [
    { os: os("fedora", "Fedora CoreOS 41", { versionId: "41", variantId: "coreos" }), packageManagers: ["rpm-ostree"] },
    { engine: { source: "static" } },
  ],
  boot2docker: [
    {
      os: os("boot2docker", "Boot2Docker 19.03.12 (TCL 10.1)", { idLike: ["tcl"], versionId: "19.03.12" }),
      packageManagers: [],
      init: "sysv",
      hostName: "boot2docker",
      engine: {
        ...debianEngine,
        ownerPackage: undefined,
        dockerdPath: "/usr/local/bin/dockerd",
        unitFiles: [{ path: "/etc/init.d/docker", text: "" }],
        settingsFiles: [],
      },
    },
    { adopted: false, driverName: "virtualbox" },
  ],
  photon: [
    { os: os("photon", "VMware Photon OS/Linux", { versionId: "5.0" }), packageManagers: [], programs: new Set(["curl"]) },
    {},
  ],
  "swarm-master": [
    { engine: debianEngine },
    {
      swarm: {
        master: true,
        agent: true,
        discovery: "token://abc",
        image: "swarm:latest",
        strategy: "spread",
        host: "tcp://0.0.0.0:3376",
        address: "",
        experimental: false,
        options: [],
        joinOptions: [],
      },
    },
  ],
};

function planOf(facts: HostFacts, request: ProvisionRequest): Plan {
  return planProvision(facts, detectFamily(facts), request);
}

for (const [name, [facts, request]] of Object.entries(cases)) {
  test(`plan of ${name}`, () => {
    const file = new URL(`../../../test/golden/plans/${name}.txt`, import.meta.url);
    const text = formatPlan(planOf(hostFacts(facts), provisionRequest(request)));
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, text);
    assert.ok(existsSync(file), `${file.pathname} is not recorded`);
    assert.equal(text, readFileSync(file, "utf8"));
    assert.doesNotMatch(text, /CANARY/u);
  });
}

function refusal(facts: FactsOverrides, request: RequestOverrides = {}): Promise<MachineError> {
  return failureOf(() => planOf(hostFacts(facts), provisionRequest(request)));
}

test("with --engine-firewall check a closed port is an error that names the command", async () => {
  const firewall = {
    firewalld: { zone: "dmz", portOpen: false },
    iptablesRules: [],
    ip6tablesRules: [],
    nftRuleset: [],
    persistentFiles: [],
  };
  const error = await refusal({ firewall, engine: debianEngine }, { engine: { firewall: "check" } });
  assert.equal(error.code, "firewall-closed");
  assert.equal(
    error.hint,
    "Open it on the machine: sudo firewall-cmd --permanent --zone=dmz --add-port=2376/tcp && sudo firewall-cmd --zone=dmz --add-port=2376/tcp",
  );
});

test("a tight disk stops an installation before it begins, and is named", async () => {
  const error = await refusal({
    disks: [
      { folder: "/", device: "/dev/vda1", mountPoint: "/", freeMiB: 9000 },
      { folder: "/var", device: "/dev/vdb1", mountPoint: "/var", freeMiB: 120 },
    ],
  });
  assert.equal(error.code, "disk-full");
  assert.match(error.message, /Only 120 MiB are free on \/dev\/vdb1 \(mounted on \/var\) of web/u);
});

test("an engine that is there needs no room", () => {
  planOf(
    hostFacts({ engine: debianEngine, disks: [{ folder: "/var", device: "/dev/vdb1", mountPoint: "/var", freeMiB: 120 }] }),
    provisionRequest(),
  );
});

test("a snap, and an engine that no service started, are refused", async () => {
  assert.match((await refusal({ engine: { ...debianEngine, snap: true } })).message, /installed as a snap/u);
  assert.match(
    (await refusal({ engine: { ...debianEngine, unitActive: false } })).message,
    /process 321\) was not started by the init system/u,
  );
});

test("an engine that holds containers and does not answer is not restarted", async () => {
  const silent = { ...debianEngine, answer: undefined };
  assert.equal((await refusal({ engine: { ...silent, shims: 2 } })).code, "engine-timeout");
  assert.equal(planOf(hostFacts({ engine: silent }), provisionRequest()).restart, true);
});

test("a system without a way to an engine names the other sources", async () => {
  const arch = { os: os("arch", "Arch Linux"), packageManagers: ["pacman" as const] };
  assert.equal(
    (await refusal(arch, { engine: { source: "docker" } })).hint,
    "Choose another source: --engine-source distro, --engine-source script, --engine-source static.",
  );
  assert.match(
    (await refusal({ os: os("flatcar", "Flatcar") })).message,
    /no engine is installed and the system offers no package of one/u,
  );
});

test("a mirror that is no URL is a usage error", async () => {
  assert.equal((await refusal({}, { engine: { packageMirror: "mirror.example" } })).code, "usage");
});

const provisioned = (): FactsOverrides => {
  const request = provisionRequest();
  const dropIn = planOf(hostFacts({ engine: debianEngine }), request).files.at(-1);
  return {
    engine: {
      ...debianEngine,
      unitFiles: [...debianEngine.unitFiles, { path: dropIn?.path ?? "", text: String(dropIn?.content) }],
    },
    ownFiles: new Map([
      ["/etc/docker/ca.pem", request.caCertificate],
      ["/etc/docker/server.pem", request.serverCertificate],
    ]),
    ownKeys: [{ path: "/etc/docker/server-key.pem", safe: true }],
  };
};

test("a provisioned host is left alone", () => {
  const plan = planOf(hostFacts(provisioned()), provisionRequest());
  assert.equal(plan.restart, false);
  assert.deepEqual(
    plan.files.map((file) => file.change),
    ["same", "same", "same", "same"],
  );
  assert.match(formatPlan(plan), /^ {2}nothing {3}everything is as wanted$/mu);
});

const changes: Readonly<Record<string, [FactsOverrides, RequestOverrides]>> = {
  "a new certificate": [{}, { serverCertificate: "NEW" }],
  "a key that others can read": [{ ownKeys: [{ path: "/etc/docker/server-key.pem", safe: false }] }, {}],
  "a restart that is owed": [{ restartOwed: true }, {}],
  "another label": [{}, { engine: { labels: ["a=b"] } }],
  "an engine that stands still": [
    { engine: { ...provisioned().engine, unitActive: false, answer: undefined, pid: undefined } },
    {},
  ],
};
for (const [name, [facts, request]] of Object.entries(changes)) {
  test(`a provisioned host with ${name} is restarted`, () => {
    assert.equal(planOf(hostFacts({ ...provisioned(), ...facts }), provisionRequest(request)).restart, true);
  });
}

test("live-restore is used where the engine has it", () => {
  assert.equal(survival({}), "live-restore-for-the-restart");
  assert.equal(
    survival({ answer: { ...runningAnswer, liveRestore: true }, daemonJson: '{ "live-restore": true }' }),
    "live-restore",
  );
  assert.equal(
    survival({ answer: { ...runningAnswer, liveRestore: true } }),
    "live-restore-for-the-restart",
    "on in memory only",
  );
  assert.equal(survival({ answer: { ...runningAnswer, swarmActive: true } }), "stopped");
  assert.equal(survival({ answer: { ...runningAnswer, serverVersion: "1.11.2" } }), "stopped");
  assert.equal(survival({ containers: [] }), "nothing-runs");
});

test("swarm mode has its ports opened, and live-restore goes off, with a word", () => {
  const daemonJson = '{\n  "live-restore": true,\n  "log-driver": "local"\n}\n';
  const facts = hostFacts({
    engine: { ...debianEngine, daemonJson },
    firewall: { iptablesRules: ["-P INPUT DROP"], ip6tablesRules: [], nftRuleset: [], persistentFiles: [] },
  });
  const planned = (swarmMode: { dataPathPort: number } | undefined): Plan =>
    planProvision(facts, detectFamily(facts), provisionRequest({ swarmMode }));
  const plan = planned({ dataPathPort: 4800 });
  assert.deepEqual(
    plan.firewall.map(({ command }) => /-p (\w+) --dport (\d+)/u.exec(command)?.slice(1).join(" ")),
    ["tcp 2376", "tcp 2377", "tcp 7946", "udp 7946", "udp 4800"],
  );
  const file = plan.files.find(({ path }) => path === "/etc/docker/daemon.json");
  assert.equal(file?.change, "replace");
  assert.deepEqual(JSON.parse(String(file?.content)), { "log-driver": "local" });
  assert.match(plan.warnings.join("\n"), /excludes live-restore, which goes off/u);
  const without = planned(undefined);
  assert.equal(without.firewall.length, 1);
  assert.equal(
    without.files.some(({ path }) => path === "/etc/docker/daemon.json"),
    false,
  );
});
