/** The operating system of a machine: clock, disks, what an engine needs of it, and its networks. */
import type { HealthFacts } from "../../../provision/facts/health-facts.ts";
import type { HostFacts } from "../../../provision/facts/facts.ts";
import type { Examination } from "../../../provision/host/examine-host.ts";
import { check, fail, warn, type AnyCheck, type Check, type Complaint } from "../check.ts";
import { overlap } from "../networks.ts";
import type { Subject } from "../subject.ts";

/** What the look at the host came to; undefined where there was none. */
export async function examination(subject: Subject): Promise<Examination | undefined> {
  const look = await subject.ssh();
  return look !== undefined && "examination" in look ? look.examination : undefined;
}

/** A check of the host's facts. */
export function hostCheck(given: Omit<Check<Examination>, "of" | "probe">): AnyCheck {
  return check<Examination>({ ...given, of: "machine", probe: examination });
}

/** Certificates made now are dated five minutes back; what differs by more is called not yet valid. */
const tolerableSkewMs = 240_000;

function skewText({ clockSkewMs }: HostFacts): string {
  return `the machine's clock is ${Math.round(Math.abs(clockSkewMs) / 1000)} s ${clockSkewMs > 0 ? "ahead of" : "behind"} this computer's`;
}

function isSkewed({ clockSkewMs }: HostFacts): boolean {
  return Math.abs(clockSkewMs) > tolerableSkewMs;
}

const leastFreeMiB = 200;
const mostInodesUsed = 97;

function judgeDisks({ facts, health }: Examination): Complaint | undefined {
  const [readOnly] = health.readOnly;
  if (readOnly !== undefined)
    return fail(`${readOnly} is mounted read-only`, "the disk has errors, or was mounted so", "read-only");
  const full = facts.disks.find(
    ({ folder, freeMiB }) => ["/", "/var", "/var/lib/docker"].includes(folder) && freeMiB < leastFreeMiB,
  );
  if (full !== undefined)
    return fail(
      `${full.freeMiB} MiB are free on ${full.mountPoint}`,
      "images, containers or logs have filled it",
      full.mountPoint,
    );
  const crowded = health.inodes.find(({ inodesUsed }) => (inodesUsed ?? 0) > mostInodesUsed);
  if (crowded !== undefined)
    return fail(
      `${crowded.inodesUsed} % of the inodes of ${crowded.mountPoint} are used`,
      "many small files have used it up",
      crowded.mountPoint,
    );
  return undefined;
}

function stuckBecause(words: string): string {
  return words.startsWith("systemctl ")
    ? "systemd does not answer"
    : "it waits for something that does not come: a lock, a disk, a service";
}

function judgeSystem({ facts, health }: Examination): Complaint | undefined {
  const { kernel, init, cgroups, engine } = facts;
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  const stuck = health.hung.find((words) => !words.startsWith("docker"));
  if (stuck !== undefined) return fail(`${stuck} does not end on the machine`, stuckBecause(stuck), "stuck");
  if (init === "none")
    return fail("System has not been booted with systemd, or another init", "there is nothing to start an engine with", "init");
  if (major < 3 || (major === 3 && minor < 10)) return fail(`the kernel is ${kernel}`, "engines need 3.10 or newer", "kernel");
  if (cgroups === "none")
    return fail("no control groups are mounted", "the kernel lacks them, or nothing has mounted them", "cgroups");
  if (engine.unitActive) return undefined;
  if (health.modulesGone !== undefined)
    return fail(
      `/lib/modules/${health.modulesGone} is gone`,
      "the kernel was upgraded, and the machine not restarted since",
      "reboot",
    );
  if (health.iptablesBroken !== undefined)
    return fail(health.iptablesBroken, "iptables cannot work with this kernel", "iptables");
  return undefined;
}

/** What engines keep is labelled `container_var_lib_t`, and `docker_var_lib_t` of old. */
const labelOfEngines = /^(?:container|docker)_/u;

function judgeSelinux({ facts: { selinux, engine }, health }: Examination): Complaint | undefined {
  if (selinux !== "enforcing" || engine.answer === undefined) return undefined;
  const { knowsContainers, dataType, confines } = health.selinux;
  if (knowsContainers === false)
    return warn(
      "SELinux is enforcing, and its policy knows no containers",
      confines ? "the engine has containers confined by it, and none starts" : "containers are not kept from the machine by it",
      "policy",
    );
  const { dataRoot } = engine.answer;
  if (confines && dataType !== undefined && !labelOfEngines.test(dataType))
    return warn(
      `${dataRoot} is labelled ${dataType}`,
      "SELinux keeps containers from what does not bear an engine's label",
      dataRoot,
    );
  return undefined;
}

const systemAdvice: Readonly<Record<string, (name: string) => string>> = {
  stuck: (name) => `docker-machine ssh ${name} sudo dmesg | tail, then: docker-machine restart ${name}`,
  init: () => "Use a system with systemd or OpenRC",
  kernel: () => "Use a newer operating system",
  cgroups: () => "Mount the control groups on the machine (package cgroupfs-mount), or use systemd",
  reboot: (name) => `docker-machine restart ${name}`,
  iptables: (name) =>
    `docker-machine ssh ${name} sudo modprobe iptable_nat, or choose the nft variant: update-alternatives --config iptables`,
};

/** Of a machine that is there: what `create` was told of its engine is told once. */
function intoSettings(name: string): string {
  return `in /etc/docker/daemon.json on the machine, then: docker-machine ssh ${name} sudo systemctl restart docker`;
}

function aProxy(name: string): string {
  return `"proxies": {"https-proxy": "http://PROXY:PORT"} (engine 23 or newer) ${intoSettings(name)}; for new machines: create --engine-env HTTPS_PROXY=http://PROXY:PORT`;
}

function engineNetworks({ addresses }: HealthFacts): readonly { readonly device: string; readonly network: string }[] {
  return addresses.filter(({ device }) => device === "docker0" || device.startsWith("br-"));
}

interface Networks extends Examination {
  readonly localRoutes: readonly string[];
}

function judgeSubnets({ health, localRoutes }: Networks): Complaint | undefined {
  const ours = engineNetworks(health);
  const own = new Set(ours.map(({ device }) => device));
  const there = health.routes.filter(({ device }) => !own.has(device));
  for (const { device, network } of ours) {
    const taken = there.find((route) => overlap(route.network, network));
    if (taken !== undefined)
      return fail(
        `${device} has ${network}, and the machine's route to ${taken.network} is by ${taken.device}`,
        "the two overlap",
      );
    const here = localRoutes.find((route) => overlap(route, network));
    if (here !== undefined)
      return warn(
        `${device} has ${network}, and this computer has a route to ${here}`,
        "what is there cannot be reached by containers, nor from here",
      );
  }
  return undefined;
}

export const clockChecks: readonly AnyCheck[] = [
  hostCheck({
    id: "local-clock",
    layer: "host",
    title: "this computer's clock is right",
    needs: ["shell-and-sudo"],
    judge: ({ facts, health }) =>
      isSkewed(facts) && health.ntp?.synchronized === true
        ? fail(skewText(facts), "the machine's clock is synchronized, so this one's is wrong")
        : undefined,
    advice: () => "sudo timedatectl set-ntp true, on this computer",
  }),
];

export const hostChecks: readonly AnyCheck[] = [
  hostCheck({
    id: "disk",
    layer: "host",
    title: "disks have room, and can be written",
    needs: ["shell-and-sudo"],
    judge: judgeDisks,
    advice: ({ kind }, { name }) =>
      kind === "read-only"
        ? `docker-machine ssh ${name} sudo dmesg | tail, then check the disk`
        : `docker-machine ssh ${name} sudo du -xh --max-depth=2 ${kind} | sort -h | tail; docker system df shows what images and containers take`,
  }),
  hostCheck({
    id: "host-clock",
    layer: "host",
    title: "the machine's clock is right",
    needs: ["local-clock"],
    judge: ({ facts, health }) =>
      isSkewed(facts) && health.ntp?.synchronized !== true
        ? fail(
            skewText(facts),
            health.ntp?.on === true ? "its time server does not answer" : "nothing sets it",
            health.ntp?.can === true ? "ntp" : "",
          )
        : undefined,
    advice: (_, { name }) => `docker-machine ssh ${name} sudo timedatectl set-ntp true`,
    repair: ({ kind }, { repairs }) =>
      kind === "ntp"
        ? {
            what: "have the machine's clock set by its time server",
            run: async (signal) => await repairs.runAsRoot("timedatectl set-ntp true", signal),
          }
        : undefined,
  }),
  hostCheck({
    id: "system",
    layer: "host",
    title: "the system can run an engine",
    needs: ["disk"],
    judge: judgeSystem,
    advice: ({ kind = "" }, { name = "" }) => systemAdvice[kind]?.(name) ?? "",
  }),
  hostCheck({
    id: "selinux",
    layer: "host",
    title: "SELinux knows the engine and its data",
    needs: ["system"],
    judge: judgeSelinux,
    advice: ({ kind }) =>
      kind === "policy"
        ? "Install container-selinux on the machine, then restart its engine"
        : `On the machine: sudo semanage fcontext -a -e /var/lib/docker ${kind} && sudo restorecon -R ${kind} (semanage is in policycoreutils-python-utils)`,
  }),
];

/** What containers meet on their way out; only of an engine that runs. */
export const networkChecks: readonly AnyCheck[] = [
  check<Networks>({
    id: "subnets",
    layer: "use",
    title: "the engine's networks are nobody else's",
    needs: ["engine-service"],
    of: "machine",
    probe: async (subject) => {
      const found = await examination(subject);
      return found && { ...found, localRoutes: await subject.localRoutes() };
    },
    judge: judgeSubnets,
    advice: (_, { name = "" }) =>
      `Give the engine others: "bip": "10.200.0.1/24", "default-address-pools": [{"base": "10.201.0.0/16", "size": 24}] ${intoSettings(name)}`,
  }),
  hostCheck({
    id: "mtu",
    layer: "use",
    title: "packets of containers fit the way out",
    needs: ["engine-service"],
    judge: ({ health: { mtus, egress } }) => {
      const [inside, outside] = [mtus.get("docker0"), egress === undefined ? undefined : mtus.get(egress)];
      if (inside === undefined || outside === undefined || inside <= outside) return undefined;
      return fail(
        `docker0 has an MTU of ${inside}, and ${egress} one of ${outside}`,
        "large packets are dropped: pulls and TLS hang in containers alone",
        String(outside),
      );
    },
    advice: ({ kind }, { name = "" }) =>
      `"mtu": ${kind} ${intoSettings(name)}; for new machines: create --engine-opt mtu=${kind}`,
  }),
  hostCheck({
    id: "registry",
    layer: "use",
    title: "the engine could pull",
    needs: ["engine-socket"],
    judge: ({ health: { registry, hostProxies, engineProxies } }) => {
      if (registry !== undefined && !/^(?:2|3|401)/u.test(registry))
        return fail(registry, "the registry cannot be reached from the machine", "registry");
      if (hostProxies.length > 0 && engineProxies.length === 0)
        return warn(`${hostProxies.join(", ")} is set in /etc/environment`, "and the engine's unit knows of no proxy", "proxy");
      return undefined;
    },
    advice: ({ kind }, { name = "" }) =>
      `${kind === "proxy" ? "" : "Check its name servers (/etc/resolv.conf) and its way out; or give it a proxy: "}${aProxy(name)}`,
  }),
  hostCheck({
    id: "restart-pending",
    layer: "use",
    title: "no restart is pending",
    needs: ["shell-and-sudo"],
    judge: ({ health }) =>
      health.rebootRequired ? warn("/var/run/reboot-required is there", "packages were upgraded that need a restart") : undefined,
    advice: (_, { name }) => `docker-machine restart ${name}`,
  }),
];
