/**
 * Every row of the doctor's table, by recorded answers: what is broken is the first finding, nothing else is one, and of what is
 * healthy there is none.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EngineTimeoutError } from "../../engine/engine-timeout-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { HealthFacts } from "../../provision/facts/health-facts.ts";
import type { Plan } from "../../provision/plan/plan.ts";
import type { LifetimePlan } from "../../provision/lifetime/lifetime.ts";
import { planProvision } from "../../provision/plan/plan.ts";
import { detectFamily } from "../../provision/families/detect-family.ts";
import type { Examination } from "../../provision/host/examine-host.ts";
import { SshUnreachableError } from "../../ssh/ssh-errors.ts";
import { debianEngine, hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import { checks } from "./checks/table.ts";
import { examine, isFinding, type Finding } from "./examine.ts";
import { overlap } from "./networks.ts";
import type { Repairs, Subject } from "./subject.ts";

const facts = hostFacts({ engine: debianEngine, seenAsRoot: true });

const health: HealthFacts = {
  inodes: [{ folder: "/", mountPoint: "/", inodesUsed: 12 }],
  readOnly: [],
  ntp: { can: true, on: true, synchronized: true },
  rebootRequired: false,
  lifetimeStopped: false,
  modulesGone: undefined,
  unitState: "active running success",
  engineLog: [],
  iptablesBroken: undefined,
  socket: { user: "root", group: "docker", mode: "660" },
  apiVersion: "1.41",
  minApiVersion: "1.12",
  listens: ["00000000"],
  listeners: ["dockerd"],
  engineProxies: [],
  hostProxies: [],
  registry: "401",
  addresses: [
    { device: "eth0", network: "192.0.2.7/24" },
    { device: "docker0", network: "172.17.0.1/16" },
  ],
  routes: [
    { device: "eth0", network: "192.0.2.0/24" },
    { device: "docker0", network: "172.17.0.0/16" },
  ],
  mtus: new Map([
    ["docker0", 1500],
    ["eth0", 1500],
  ]),
  egress: "eth0",
  held: [],
  hung: [],
  swarm: { state: "inactive", error: "", address: "", isManager: false },
  selinux: { knowsContainers: undefined, dataType: undefined, confines: false },
};

/** As it is once it was set up: nothing would change. */
const settled: Plan = (() => {
  const plan = planProvision(facts, detectFamily(facts), provisionRequest());
  return {
    ...plan,
    files: plan.files.map((file) => ({ ...file, change: "same" as const })),
    removals: [],
    firewall: [],
    restart: false,
  };
})();

const untold: LifetimePlan = {
  files: [{ path: "/etc/docker-machine/ttl.sh", mode: "0755", content: "", change: "create" }],
  removals: [],
  by: "systemd",
  words: "",
};

const examined: Examination = { facts, health, plan: settled };
const store = { root: "/s", problems: [], freeMiB: 9_000, isOnNfs: false };
const engine = { url: "tcp://192.0.2.7:2376", version: { Version: "20.10.24", ApiVersion: "1.41", MinAPIVersion: "1.12" } };
const shell = { env: {}, urls: [engine.url], names: ["web"], proxied: [], certPathExists: true };

interface Recorded extends Partial<Omit<Subject, "repairs">> {
  /** What `--fix` did. */
  readonly done?: string[];
}

const repairsInto = (done: string[]): Repairs => ({
  chmod: async (file, mode) => void done.push(`chmod ${mode.toString(8)} ${file}`),
  saveAddress: async () => void done.push("saveAddress"),
  runAsRoot: async (script) => void done.push(script),
  provision: async () => void done.push("provision"),
  regenerateCertificates: async () => void done.push("regenerateCertificates"),
  watchPorts: async () => void done.push("watch ports"),
});

function subject(changes: Recorded = {}): Subject {
  return {
    name: "web",
    isOverSsh: false,
    enginePort: 2376,
    now: () => new Date("2026-01-01T00:00:00Z"),
    store: async () => store,
    shell: async () => shell,
    clientApi: async () => "1.47",
    localRoutes: async () => ["10.0.0.0/24"],
    folder: async () => store,
    record: async () => ({}),
    driver: async () => ({}),
    provider: async () => ({ state: "Running", recordedAddress: "192.0.2.7", presentAddress: "192.0.2.7", wayToRun: "" }),
    resolve: async () => ({ name: "web.example", addresses: ["192.0.2.7"] }),
    ssh: async () => ({ examination: examined }),
    engine: async () => engine,
    certificates: async () => [],
    drift: async () => [],
    published: async () => ({ isWatched: true, ports: [] }),
    ...changes,
    repairs: repairsInto(changes.done ?? []),
  };
}

const seen = (change: Partial<HealthFacts>, host: Partial<Examination> = {}): Recorded => ({
  ssh: async () => ({ examination: { ...examined, ...host, health: { ...health, ...change } } }),
});
const host = (overrides: Parameters<typeof hostFacts>[0], change: Partial<HealthFacts> = {}): Recorded =>
  seen(change, { facts: hostFacts({ engine: debianEngine, seenAsRoot: true, ...overrides }) });
const stopped = { engine: { ...debianEngine, unitActive: false, answer: undefined } };
const sshError = (error: MachineError, keyFile = ""): Recorded => ({ ssh: async () => ({ error, keyFile }) });
const engineError = (error: MachineError): Recorded => ({ engine: async () => ({ url: engine.url, error }) });

const taken = new EngineTimeoutError("handshake", "i/o timeout during the TLS handshake");

interface Row {
  /** Of the table in `docs/doctor.md`. */
  readonly row: number;
  readonly check: string;
  readonly broken: Recorded;
  /** What `--fix` does; nothing unless given. */
  readonly fixes?: readonly string[];
  readonly advice: RegExp;
}

const rows: Readonly<Record<string, Row>> = {
  "a store that others may enter": {
    row: 1,
    check: "store",
    broken: { store: async () => ({ ...store, problems: [{ file: "/s", what: "has the mode 755", mode: 0o700 }] }) },
    fixes: ["chmod 700 /s"],
    advice: /^chmod -R go-rwx \/s$/u,
  },
  "a store whose file system is read-only": {
    row: 1,
    check: "store",
    broken: { store: async () => ({ ...store, writeError: { why: "read-only", at: "/s", mountPoint: "/my disk" } }) },
    advice: /^sudo mount -o remount,rw '\/my disk'$/u,
  },
  "a store that its owner may not write": {
    row: 1,
    check: "store",
    broken: { store: async () => ({ ...store, writeError: { why: "denied", at: "/s", mountPoint: "/" } }) },
    advice: /^chmod -R u\+rwX \/s$/u,
  },
  "a store that cannot be made": {
    row: 1,
    check: "store",
    broken: { store: async () => ({ ...store, root: "/opt/s", writeError: { why: "denied", at: "/opt", mountPoint: "/" } }) },
    advice: /^sudo install -d -m 700 -o "\$\(id -un\)" \/opt\/s$/u,
  },
  "a store that belongs to root after sudo": {
    row: 1,
    check: "store",
    broken: { store: async () => ({ ...store, problems: [{ file: "/s/certs", what: "belongs to the user 0" }] }) },
    advice: /^sudo chown -R "\$\(id -un\)" \/s$/u,
  },
  "a full disk here": { row: 1, check: "store", broken: { store: async () => ({ ...store, freeMiB: 3 }) }, advice: /room/u },
  "locks on NFS": {
    row: 1,
    check: "store",
    broken: { store: async () => ({ ...store, isOnNfs: true }) },
    advice: /one computer/u,
  },
  "a key that others may read": {
    row: 1,
    check: "folder",
    broken: {
      folder: async () => ({ ...store, problems: [{ file: "/s/machines/web/id_rsa", what: "has the mode 644", mode: 0o600 }] }),
    },
    fixes: ["chmod 600 /s/machines/web/id_rsa"],
    advice: /^chmod -R go-rwx \/s$/u,
  },
  "a damaged record": {
    row: 2,
    check: "record",
    broken: { record: async () => ({ error: new MachineError("record-unreadable", "cut off") }) },
    advice: /rm -f web/u,
  },
  "a command that was cut off": {
    row: 2,
    check: "record",
    broken: {
      record: async () => ({
        interruption: { what: 'create was interrupted at "ssh"', wayOut: "run docker-machine provision web" },
      }),
    },
    advice: /provision web/u,
  },
  "a driver that is not there": {
    row: 3,
    check: "driver",
    broken: {
      driver: async () => ({ error: new MachineError("driver-not-found", 'Driver "x" not found', { hint: "Install it." }) }),
    },
    advice: /Install it/u,
  },
  "a secret that leads nowhere": {
    row: 3,
    check: "driver",
    broken: { driver: async () => ({ error: new MachineError("secret-unavailable", "TOKEN is not set") }) },
    advice: /config set web/u,
  },
  "a context that DOCKER_HOST beats": {
    row: 4,
    check: "shell",
    broken: { shell: async () => ({ ...shell, env: { DOCKER_HOST: engine.url, DOCKER_CONTEXT: "other" } }) },
    advice: /unset DOCKER_CONTEXT/u,
  },
  "variables of an earlier address": {
    row: 4,
    check: "shell",
    broken: { shell: async () => ({ ...shell, env: { DOCKER_HOST: "tcp://192.0.2.99:2376", DOCKER_MACHINE_NAME: "web" } }) },
    advice: /env web\)/u,
  },
  "variables of a machine that is gone": {
    row: 4,
    check: "shell",
    broken: { shell: async () => ({ ...shell, env: { DOCKER_HOST: "tcp://192.0.2.99:2376", DOCKER_MACHINE_NAME: "old" } }) },
    advice: /env -u\)/u,
  },
  "an address that is asked of the proxy": {
    row: 4,
    check: "shell",
    broken: { shell: async () => ({ ...shell, proxied: ["web"] }) },
    advice: /--no-proxy web\)/u,
  },
  "a clock of this computer that is behind": {
    row: 5,
    check: "local-clock",
    broken: host({ clockSkewMs: 3_600_000 }),
    advice: /on this computer/u,
  },
  "an instance that is stopped": {
    row: 6,
    check: "provider",
    broken: {
      provider: async () => ({ state: "Stopped", recordedAddress: "192.0.2.7", wayToRun: "It cannot be started from here." }),
    },
    advice: /^It cannot be started from here\.$/u,
  },
  "an instance that was deleted": {
    row: 6,
    check: "provider",
    broken: { provider: async () => ({ state: "", recordedAddress: "192.0.2.7", wayToRun: "" }) },
    advice: /rm web/u,
  },
  "an instance at another address": {
    row: 6,
    check: "provider",
    broken: {
      provider: async () => ({ state: "Running", recordedAddress: "192.0.2.7", presentAddress: "192.0.2.8", wayToRun: "" }),
    },
    fixes: ["saveAddress"],
    advice: /regenerate-certs web/u,
  },
  "a name that nobody knows": {
    row: 7,
    check: "dns",
    broken: { resolve: async () => ({ name: "web.example", addresses: [], error: "Could not resolve hostname web.example" }) },
    advice: /name servers/u,
  },
  "an SSH server that is down": {
    row: 8,
    check: "ssh-port",
    broken: sshError(new SshUnreachableError("refused", "connection refused", { hint: "Check the port." })),
    advice: /port/u,
  },
  "another host key": {
    row: 9,
    check: "host-key",
    broken: sshError(new MachineError("host-key-mismatch", "The host key is not the expected one")),
    advice: /console/u,
  },
  "a user whom the machine does not know": {
    row: 10,
    check: "login",
    broken: sshError(new MachineError("ssh-authentication", 'User "x" was refused')),
    advice: /key/u,
  },
  "a key that OpenSSH refuses to use": {
    row: 10,
    check: "login",
    broken: sshError(new MachineError("ssh-key-unusable", "/k can be read by others"), "/k"),
    fixes: ["chmod 600 /k"],
    advice: /^chmod 600 \/k$/u,
  },
  "an account without a shell": {
    row: 11,
    check: "shell-and-sudo",
    broken: sshError(new MachineError("remote-command", "This account is currently not available")),
    advice: /sudo/u,
  },
  "sudo that asks for a password": {
    row: 11,
    check: "shell-and-sudo",
    broken: sshError(new MachineError("sudo-required", "sudo: a password is required")),
    advice: /sudo-password-file/u,
  },
  "a full disk there": {
    row: 12,
    check: "disk",
    broken: host({ disks: [{ folder: "/", device: "/dev/sda1", mountPoint: "/", freeMiB: 3 }] }),
    advice: /du -xh/u,
  },
  "no inodes left": {
    row: 12,
    check: "disk",
    broken: seen({ inodes: [{ folder: "/", mountPoint: "/", inodesUsed: 100 }] }),
    advice: /du/u,
  },
  "a disk that cannot be written": { row: 12, check: "disk", broken: seen({ readOnly: ["/"] }), advice: /dmesg/u },
  "a clock of the machine that is behind": {
    row: 13,
    check: "host-clock",
    broken: host({ clockSkewMs: -3_600_000 }, { ntp: { can: true, on: false, synchronized: false } }),
    fixes: ["timedatectl set-ntp true"],
    advice: /set-ntp/u,
  },
  "no init": { row: 14, check: "system", broken: host({ init: "none" }), advice: /systemd or OpenRC/u },
  "a systemd that does not answer": {
    row: 14,
    check: "system",
    broken: seen({ hung: ["systemctl show"] }),
    advice: /restart web/u,
  },
  "no control groups": { row: 14, check: "system", broken: host({ cgroups: "none" }), advice: /control groups/u },
  "a kernel of long ago": { row: 14, check: "system", broken: host({ kernel: "2.6.32-754" }), advice: /newer operating system/u },
  "a kernel that was upgraded beneath the engine": {
    row: 14,
    check: "system",
    broken: host(stopped, { modulesGone: "6.1.0-1", unitState: "failed failed exit-code" }),
    advice: /restart web/u,
  },
  "iptables without its table": {
    row: 14,
    check: "system",
    broken: host(stopped, { iptablesBroken: "iptables v1.8.9: can't initialize iptables table `nat': Table does not exist" }),
    advice: /modprobe/u,
  },
  "a policy of SELinux's without containers": {
    row: 14,
    check: "selinux",
    broken: host({ selinux: "enforcing" }, { selinux: { knowsContainers: false, dataType: "var_lib_t", confines: false } }),
    advice: /^Install container-selinux on the machine/u,
  },
  "data that was moved away from its label": {
    row: 14,
    check: "selinux",
    broken: host({ selinux: "enforcing" }, { selinux: { knowsContainers: true, dataType: "default_t", confines: true } }),
    advice: /semanage fcontext -a -e \/var\/lib\/docker \S+ && sudo restorecon -R \//u,
  },
  "an engine that was stopped": {
    row: 15,
    check: "engine-service",
    broken: host(stopped, { unitState: "success inactive dead", listens: [], socket: undefined }),
    fixes: ["systemctl start docker"],
    advice: /systemctl start docker/u,
  },
  "a key that stands in two places": {
    row: 15,
    check: "engine-service",
    broken: host(stopped, {
      unitState: "failed failed exit-code",
      engineLog: [
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives are specified both as a flag and in the configuration file: hosts: (from flag: [x], from file: [y])",
      ],
    }),
    advice: /Take that key out/u,
  },
  "live-restore in a swarm": {
    row: 15,
    check: "engine-service",
    broken: host(stopped, {
      unitState: "failed",
      engineLog: ["--live-restore daemon configuration is incompatible with swarm mode"],
    }),
    advice: /live-restore/u,
  },
  "a drop-in that was changed by hand": {
    row: 16,
    check: "engine-settings",
    broken: seen({}, { plan: { ...settled, files: settled.files.map((file) => ({ ...file, change: "replace" as const })) } }),
    fixes: ["provision"],
    advice: /provision web/u,
  },
  "a deadline that the machine does not know": {
    row: 27,
    check: "lifetime",
    broken: seen({}, { plan: { ...settled, lifetime: untold } }),
    fixes: ["provision"],
    advice: /provision web/u,
  },
  "a deadline that nothing looks at": {
    row: 27,
    check: "lifetime",
    broken: seen({ lifetimeStopped: true }, { plan: { ...settled, lifetime: { ...untold, files: [] } } }),
    fixes: ["provision"],
    advice: /provision web/u,
  },
  "an engine that hangs": {
    row: 17,
    check: "engine-socket",
    broken: host({ engine: { ...debianEngine, answer: undefined } }),
    advice: /journalctl/u,
  },
  "a socket that its group may not use": {
    row: 17,
    check: "socket-rights",
    broken: host({ privilege: { kind: "sudo" }, userName: "admin" }, { socket: { user: "root", group: "root", mode: "660" } }),
    advice: /restart docker/u,
  },
  "an engine that takes a question and does not answer": {
    row: 17,
    check: "engine-socket",
    broken: seen({ hung: ["docker info"] }),
    advice: /journalctl -u docker/u,
  },
  "an engine without its port": { row: 18, check: "engine-port", broken: seen({ listens: [] }), advice: /provision web/u },
  "a port for the machine itself alone": {
    row: 18,
    check: "engine-port",
    broken: seen({ listens: ["0100007F"] }),
    advice: /provision web/u,
  },
  "somebody else's port": { row: 18, check: "engine-port", broken: seen({ listeners: ["nginx"] }), advice: /ss -ltnp/u },
  "a security group that drops packets": {
    row: 19,
    check: "engine-reachable",
    broken: engineError(new MachineError("engine-timeout", "dial tcp 192.0.2.7:2376: i/o timeout")),
    advice: /with --ssh web/u,
  },
  "packets of full size that are lost on the way": {
    row: 19,
    check: "engine-reachable",
    broken: engineError(taken),
    advice: /with --ssh web/u,
  },
  "an engine that hangs, of a machine without SSH": {
    row: 19,
    check: "engine-reachable",
    broken: { ssh: async () => undefined, ...engineError(taken) },
    advice: /^Restart its engine/u,
  },
  "a firewall on the machine": {
    row: 19,
    check: "engine-reachable",
    broken: {
      ...seen({}, { plan: { ...settled, firewall: [{ firewall: "ufw" }] as unknown as Plan["firewall"] } }),
      ...engineError(new MachineError("engine-timeout", "i/o timeout")),
    },
    fixes: ["provision"],
    advice: /provision web/u,
  },
  "an engine of somebody else's that nobody logs in to": {
    row: 20,
    check: "certificates",
    broken: { ssh: async () => undefined, ...engineError(new MachineError("engine-certificate", "x509: unknown authority")) },
    advice: /--tls-ca-cert CA .* create -d none --url tcp:\/\/192\.0\.2\.7:2376 web$/u,
  },
  "a certificate of another store": {
    row: 20,
    check: "certificates",
    broken: engineError(new MachineError("engine-certificate", "x509: certificate signed by unknown authority")),
    fixes: ["regenerateCertificates"],
    advice: /regenerate-certs web/u,
  },
  "a client certificate that has ended": {
    row: 20,
    check: "certificates",
    broken: {
      certificates: async () => [
        { what: "The client certificate", state: "expired", sentence: "The client certificate expired", isShared: true },
      ],
    },
    advice: /--client-certs web/u,
  },
  "a client that is too old": {
    row: 21,
    check: "api-version",
    broken: {
      clientApi: async () => "1.24",
      engine: async () => ({ ...engine, version: { Version: "29.0.0", MinAPIVersion: "1.44" } }),
    },
    advice: /min-api-version/u,
  },
  "networks of engine and host that overlap": {
    row: 22,
    check: "subnets",
    broken: seen({ routes: [...health.routes, { device: "tun0", network: "172.16.0.0/12" }] }),
    advice: /default-address-pools/u,
  },
  "networks of engine and this computer that overlap": {
    row: 22,
    check: "subnets",
    broken: { localRoutes: async () => ["172.17.0.0/24"] },
    advice: /bip/u,
  },
  "packets too large for the way out": {
    row: 23,
    check: "mtu",
    broken: seen({
      mtus: new Map([
        ["docker0", 1500],
        ["eth0", 1450],
      ]),
    }),
    advice: /mtu=1450/u,
  },
  "a registry out of reach": {
    row: 24,
    check: "registry",
    broken: seen({ registry: "curl: (6) Could not resolve host" }),
    advice: /name servers/u,
  },
  "a proxy that the engine does not know": {
    row: 24,
    check: "registry",
    broken: seen({ hostProxies: ["https_proxy"] }),
    advice: /engine-env/u,
  },
  "a restart that is pending": {
    row: 25,
    check: "restart-pending",
    broken: seen({ rebootRequired: true }),
    advice: /restart web/u,
  },
  "a swarm without a leader": {
    row: 26,
    check: "swarm",
    broken: seen({
      swarm: { state: "active", error: "rpc error: The swarm does not have a leader", address: "192.0.2.7", isManager: true },
    }),
    advice: /force-new-cluster/u,
  },
  "a stale context": {
    row: 27,
    check: "integration",
    broken: { drift: async () => [{ what: 'the context "web" has another address', repair: async () => {} }] },
    fixes: [],
    advice: /--fix web/u,
  },
  "ports of containers that nobody opens": {
    row: 28,
    check: "published-ports",
    broken: { published: async () => ({ isWatched: false, ports: [] }) },
    fixes: ["watch ports"],
    advice: /--fix web/u,
  },
  "a port of a container that another program has": {
    row: 28,
    check: "published-ports",
    broken: {
      published: async () => ({
        isWatched: true,
        ports: [
          { protocol: "tcp", port: 8080, containers: ["web"], outcome: "in-use" },
          { protocol: "tcp", port: 5432, containers: ["db"], outcome: "inside" },
        ],
      }),
    },
    advice: /publish another one/u,
  },
};

async function findingsOf(changes: Recorded): Promise<Finding[]> {
  return (await examine(subject(changes), checks)).filter(isFinding);
}

describe("doctor, by recorded answers", () => {
  it("finds nothing wrong with what is healthy", async () => {
    assert.deepEqual(await findingsOf({}), []);
    const overSsh = {
      isOverSsh: true,
      enginePort: undefined,
      engine: async () => undefined,
      ...seen({ listens: [], listeners: [] }),
    };
    assert.deepEqual(await findingsOf(overSsh), []);
    assert.deepEqual(
      await findingsOf({ ssh: async () => undefined, engine: async () => undefined, provider: async () => undefined }),
      [],
    );
  });

  for (const [what, selinux, health] of [
    ["does not enforce", "permissive", { knowsContainers: false, dataType: "default_t", confines: true }],
    ["does not confine containers", "enforcing", { knowsContainers: true, dataType: "default_t", confines: false }],
    ["tells nothing of its policy", "enforcing", { knowsContainers: undefined, dataType: undefined, confines: true }],
    ["has labelled the data", "enforcing", { knowsContainers: true, dataType: "container_var_lib_t", confines: true }],
  ] as const) {
    it(`has nothing to say of an SELinux that ${what}`, async () => {
      assert.deepEqual(await findingsOf(host({ selinux }, { selinux: health })), []);
    });
  }

  it("has each of the 28 rows here, and each check has one", () => {
    assert.deepEqual(
      [...new Set(Object.values(rows).map(({ row }) => row))].toSorted((a, b) => a - b),
      Array.from({ length: 28 }, (_, index) => index + 1),
    );
    assert.deepEqual(
      [...new Set(Object.values(rows).map(({ check }) => check))].toSorted(),
      checks.map(({ id }) => id).toSorted(),
    );
  });

  for (const [what, { row, check, broken, fixes = [], advice }] of Object.entries(rows)) {
    it(`row ${row}: ${what}`, async () => {
      const done: string[] = [];
      const findings = (await examine(subject({ ...broken, done }), checks)).filter(isFinding);
      assert.deepEqual(
        findings.map((found) => found.check),
        [check],
        JSON.stringify(findings, undefined, 1),
      );
      const [found] = findings as [Finding];
      assert.match(found.fix, advice);
      assert.notEqual(found.evidence, "");
      assert.notEqual(found.cause, "");
      await found.repair?.run(new AbortController().signal);
      assert.deepEqual(done, fixes);
    });
  }

  it("needs only checks that come before, and names each once", () => {
    const before = new Set<string>();
    for (const { id, needs } of checks) {
      for (const need of needs) assert.ok(before.has(need), `${id} needs ${need}`);
      assert.ok(!before.has(id), id);
      before.add(id);
    }
  });

  it("never accepts a host key, prunes, or stops containers", async () => {
    const running: Plan = {
      ...settled,
      restart: true,
      survival: { kind: "stopped", why: "x" },
      files: settled.files.map((file) => ({ ...file, change: "replace" as const })),
    };
    for (const broken of [
      sshError(new MachineError("host-key-mismatch", "changed")),
      seen({}, { plan: running }),
      {
        ...seen({}, { plan: { ...running, files: settled.files } }),
        ...engineError(new MachineError("engine-certificate", "x509")),
      },
    ]) {
      const [found] = await findingsOf(broken);
      assert.equal(found?.repair, undefined, found?.check);
    }
  });

  it("shows no credentials of proxies in evidence", async () => {
    const [found] = await findingsOf(seen({ registry: "curl: proxy http://user:hunter2@proxy:3128 refused" }));
    assert.ok(found !== undefined && !found.evidence.includes("hunter2"), found?.evidence);
  });
});

describe("networks", () => {
  it("overlap where one lies in the other", () => {
    assert.ok(overlap("172.17.0.1/16", "172.16.0.0/12"));
    assert.ok(overlap("10.0.0.0/8", "10.255.255.255/32"));
    assert.ok(!overlap("172.17.0.0/16", "172.18.0.0/16"));
    assert.ok(!overlap("fe80::1/64", "172.18.0.0/16"));
    assert.ok(overlap("0.0.0.0/0", "192.0.2.1/32"));
  });
});
