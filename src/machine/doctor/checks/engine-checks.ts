/** The engine on its machine: its service, its settings, its socket and its port, and the swarm it may be in. */
import { isMachineError } from "../../../errors/machine-error.ts";
import type { Plan } from "../../../provision/plan/plan.ts";
import type { Examination } from "../../../provision/host/examine-host.ts";
import { fail, warn, type AnyCheck, type Complaint, type Repair } from "../check.ts";
import type { Repairs } from "../subject.ts";
import { hostCheck } from "./host-checks.ts";

interface KnownFailure {
  readonly pattern: RegExp;
  readonly cause: string;
  readonly advice: string;
}

/** What dockerd says when it does not start, and what is to be done; the first that matches counts. */
const knownFailures: readonly KnownFailure[] = [
  {
    pattern: /directives are specified both as a flag and in the configuration file: ?([^)"]*)/u,
    cause: "the unit and /etc/docker/daemon.json both say it",
    advice: "Take that key out of /etc/docker/daemon.json on the machine, then: docker-machine provision NAME",
  },
  {
    pattern: /unable to configure the Docker daemon with file .*/u,
    cause: "/etc/docker/daemon.json cannot be read",
    advice: "Correct /etc/docker/daemon.json on the machine, then: docker-machine provision NAME",
  },
  {
    pattern: /live-restore.*incompatible with swarm mode/u,
    cause: "live-restore is on, and the engine is in a swarm",
    advice: 'Take "live-restore" out of /etc/docker/daemon.json on the machine, then: docker-machine provision NAME',
  },
  {
    pattern: /(?:could not find an available|no available network|non-overlapping IPv4 address pool).*/u,
    cause: "all of the engine's address pools are taken by routes of the machine",
    advice:
      '"default-address-pools": [{"base": "10.201.0.0/16", "size": 24}] in /etc/docker/daemon.json on the machine, then: docker-machine provision NAME',
  },
  {
    pattern: /bind: address already in use.*/u,
    cause: "another program has the engine's port",
    advice: "docker-machine ssh NAME sudo ss -ltnp",
  },
];

function judgeService({ facts: { engine }, health }: Examination): Complaint | undefined {
  if (engine.dockerdPath === undefined && engine.dockerPath === undefined)
    return fail("dockerd is not installed", "the engine was removed", "provision");
  if (engine.unitMasked) return fail("docker.service is masked", "somebody keeps the engine from starting", "masked");
  if (engine.unitActive) return undefined;
  // What an engine that was stopped said last is of earlier days.
  const isStopped = /\binactive\b/u.test(health.unitState) || health.unitState === "";
  if (isStopped) return fail(`docker.service is ${health.unitState || "not running"}`, "the engine was stopped", "stopped");
  const log = health.engineLog.join("\n");
  const index = knownFailures.findIndex(({ pattern }) => pattern.test(log));
  const known = knownFailures[index];
  if (known !== undefined) return fail(known.pattern.exec(log)?.[0] ?? "", known.cause, `known ${index}`);
  const said = health.engineLog.findLast((line) => /error|fail|fatal|level=f/iu.test(line)) ?? health.unitState;
  return fail(said, "the engine does not start", "failed");
}

function adviseOnService(kind: string, name: string): string {
  const known = knownFailures[Number(/^known (\d+)$/u.exec(kind)?.[1] ?? -1)];
  if (known !== undefined) return known.advice.replace("NAME", name);
  if (kind === "stopped") return `docker-machine ssh ${name} sudo systemctl start docker`;
  if (kind === "masked") return `docker-machine ssh ${name} sudo systemctl unmask docker.service docker.socket`;
  return kind === "provision" ? `docker-machine provision ${name}` : `docker-machine ssh ${name} sudo journalctl -u docker -n 50`;
}

/** Whether the containers of the machine live through what provisioning would do. */
export function isHarmless(plan: Examination["plan"]): plan is Plan {
  if (isMachineError(plan)) return false;
  return plan.installations.length === 0 && (!plan.restart || plan.survival.kind !== "stopped");
}

function changedFiles(plan: Plan): readonly string[] {
  return [
    ...plan.files.filter(({ change, path }) => change !== "same" && !path.endsWith(".pem")).map(({ path }) => path),
    ...plan.removals,
  ];
}

export function provisioning(plan: Examination["plan"], repairs: Repairs, what: string): Repair | undefined {
  return isHarmless(plan) ? { what, run: async (signal) => await repairs.provision(signal) } : undefined;
}

/** `0100007F` and `…0000000001000000` are loopback, as /proc/net/tcp writes addresses. */
function isLoopback(address: string): boolean {
  return address.endsWith("7F") ? address.length === 8 : address === "00000000000000000000000001000000";
}

function judgeSwarm({ health: { swarm } }: Examination): Complaint | undefined {
  if (swarm === undefined || swarm.state === "inactive" || swarm.state === "") return undefined;
  if (swarm.state === "active" && swarm.error === "") return undefined;
  const cause = /no leader|does not have a leader|quorum/iu.test(swarm.error)
    ? "too few managers are left"
    : "the node is not part of its swarm any more";
  return fail(
    swarm.error || `the node's state is ${swarm.state}`,
    swarm.state === "locked" ? "its keys are locked" : cause,
    swarm.state,
  );
}

export const engineChecks: readonly AnyCheck[] = [
  hostCheck({
    id: "engine-service",
    layer: "engine",
    title: "the engine runs",
    needs: ["system"],
    judge: judgeService,
    advice: ({ kind = "" }, { name = "" }) => adviseOnService(kind, name),
    repair: ({ kind }, { repairs }) =>
      kind === "stopped"
        ? { what: "start the engine", run: async (signal) => await repairs.runAsRoot("systemctl start docker", signal) }
        : undefined,
  }),
  hostCheck({
    id: "engine-settings",
    layer: "engine",
    title: "the engine's settings are as they were made",
    needs: ["engine-service"],
    judge: ({ plan }) => {
      if (isMachineError(plan))
        return fail(plan.message, "what stands there contradicts what the machine needs", plan.hint ?? "");
      const files = changedFiles(plan);
      if (files.length === 0) return undefined;
      return fail(
        `${files.join(", ")} ${files.length === 1 ? "is" : "are"} not as made`,
        "changed by hand, or by a package's upgrade",
      );
    },
    advice: ({ kind }, { name }) => kind || `docker-machine provision ${name}`,
    repair: (_, { repairs }, { plan }) => provisioning(plan, repairs, "set the engine up as it was; its containers keep running"),
  }),
  hostCheck({
    id: "engine-socket",
    layer: "engine",
    title: "the engine answers on its own socket",
    needs: ["engine-service"],
    judge: ({ facts, health }) => {
      if (health.socket === undefined) return fail("there is no /var/run/docker.sock", "the engine opens none", "");
      const stuck = health.hung.find((words) => words.startsWith("docker"));
      if (stuck !== undefined)
        return fail(
          `${stuck} does not end on the machine`,
          stuck === "docker --version"
            ? "the docker client there hangs itself"
            : "the engine takes the question at /var/run/docker.sock and does not answer",
          "",
        );
      if (facts.engine.answer === undefined && facts.engine.dockerPath !== undefined)
        return fail("the engine does not answer on /var/run/docker.sock", "it hangs, or is still starting", "");
      return undefined;
    },
    advice: (_, { name }) => `docker-machine ssh ${name} sudo journalctl -u docker -n 50`,
  }),
  hostCheck({
    id: "socket-rights",
    layer: "engine",
    title: "the user may use the engine's socket",
    needs: ["engine-socket"],
    judge: ({ facts, health }) => {
      const { socket } = health;
      if (socket === undefined || facts.privilege.kind === "root") return undefined;
      // A user who has to become root for it is usual; a socket that its group cannot use is not.
      if (socket.group === "docker" && /^6[67]/u.test(socket.mode.slice(-3))) return undefined;
      return warn(
        `/var/run/docker.sock is ${socket.user}:${socket.group} ${socket.mode}`,
        `${facts.userName} and the group docker may not use it`,
      );
    },
    advice: (_, { name }) => `docker-machine ssh ${name} sudo systemctl restart docker.socket docker`,
  }),
  hostCheck({
    id: "engine-port",
    layer: "engine",
    title: "the engine listens at its port, for others too",
    needs: ["engine-socket", "engine-settings"],
    judge: ({ health: { listens, listeners } }, { enginePort }) => {
      if (enginePort === undefined) return undefined;
      const other = listeners.find((program) => !/^docker(?:d)?$/u.test(program));
      if (other !== undefined)
        return fail(`${other} listens at port ${enginePort}`, "another program has the engine's port", "other");
      if (listens.length === 0) return fail(`nothing listens at port ${enginePort}`, "the engine was not told to", "");
      if (listens.every(isLoopback))
        return fail(`port ${enginePort} is listened on for the machine itself alone`, "it is bound to 127.0.0.1", "");
      return undefined;
    },
    advice: ({ kind }, { name }) =>
      kind === "other" ? `docker-machine ssh ${name} sudo ss -ltnp` : `docker-machine provision ${name}`,
  }),
];

export const swarmChecks: readonly AnyCheck[] = [
  hostCheck({
    id: "swarm",
    layer: "use",
    title: "the machine's swarm has a leader, and the machine its place in it",
    needs: ["engine-socket"],
    judge: judgeSwarm,
    advice: ({ kind }) =>
      kind === "locked"
        ? "docker swarm unlock, on the machine"
        : "Start the other managers; if they are gone for good: docker swarm init --force-new-cluster, on one that is left",
  }),
];
