/** The engine from here: its port through firewalls, its certificate, and whether client and engine speak one version. */
import { isTakenAndSilent } from "../../../engine/engine-timeout-error.ts";
import { isMachineError } from "../../../errors/machine-error.ts";
import type { Examination } from "../../../provision/host/examine-host.ts";
import { check, fail, warn, type AnyCheck } from "../check.ts";
import type { CertificateLook, EngineLook } from "../subject.ts";
import { isHarmless } from "./engine-checks.ts";
import { examination } from "./host-checks.ts";

interface Reach {
  readonly engine: EngineLook;
  readonly seen: Examination | undefined;
}

interface Trust {
  readonly engine: EngineLook;
  readonly certificates: readonly CertificateLook[];
  readonly seen: Examination | undefined;
}

interface Versions {
  readonly least: string | undefined;
  readonly most: string | undefined;
  readonly client: string | undefined;
  readonly asked: string | undefined;
}

const certificateAdvice = (name: string, isShared: boolean): string =>
  `docker-machine regenerate-certs ${isShared ? "--client-certs " : ""}${name}`;

/** Versions of the API are compared by number: 1.9 is older than 1.24. */
function isOlder(one: string, other: string): boolean {
  const [a = 0, b = 0] = one.split(".").map(Number);
  const [c = 0, d = 0] = other.split(".").map(Number);
  return a < c || (a === c && b < d);
}

/** What nobody can log in to gets no certificate of ours: it is used by those of who has set it up. */
function ownersCertificates(name: string, url: string): string {
  const certificates = "--tls-ca-cert CA --tls-client-cert CERT --tls-client-key KEY";
  return `With certificates of its engine's owner: docker-machine rm -f ${name}; docker-machine ${certificates} create -d none --url ${url} ${name}`;
}

/** What was not seen from within has no SSH, so that there is no other way to its engine. */
const reachAdvice: Readonly<Record<string, (name: string) => string>> = {
  firewall: (name) => `docker-machine provision ${name}`,
  unseen: () => "Start it or its engine where it lives, or let the port in at the firewall or VPN between",
  silent: () => "Restart its engine where it lives, or what forwards the port",
  between: (name) =>
    `Let the port in at the provider's firewall or VPN; or do without it: docker-machine with --ssh ${name} -- docker ps`,
};

export const connectionChecks: readonly AnyCheck[] = [
  check<Reach>({
    id: "engine-reachable",
    layer: "connection",
    title: "the engine's port can be reached from here",
    needs: ["engine-port"],
    of: "machine",
    probe: async (subject) => {
      const engine = await subject.engine();
      return engine && { engine, seen: await examination(subject) };
    },
    judge: ({ engine: { error, url }, seen }) => {
      if (!isMachineError(error, "engine-timeout") && !isMachineError(error, "engine-unreachable")) return undefined;
      const firewalls = seen === undefined || isMachineError(seen.plan) ? [] : seen.plan.firewall;
      const [first] = firewalls;
      if (first !== undefined) return fail(error.message, `${first.firewall} on the machine keeps clients out`, "firewall");
      if (seen === undefined && isTakenAndSilent(error))
        return fail(`${url}: ${error.message}`, "the engine hangs, or what forwards its port leads nowhere", "silent");
      if (seen === undefined)
        return fail(
          `${url}: ${error.message}`,
          "the machine is off, its engine does not run, or a firewall is between",
          "unseen",
        );
      const cause = isTakenAndSilent(error)
        ? "the engine answers on the machine, and what it says is lost on the way: large packets, as behind a VPN (MTU), or what forwards the port"
        : error.code === "engine-timeout"
          ? "something between here and the machine drops the packets"
          : "something between here and the machine refuses them";
      return fail(`${url}: ${error.message}`, cause, "between");
    },
    advice: ({ kind = "" }, { name = "" }) => reachAdvice[kind]?.(name) ?? "",
    repair: ({ kind }, { repairs }, { seen }) =>
      kind === "firewall" && seen !== undefined && isHarmless(seen.plan)
        ? { what: `open the engine's port in the machine's firewall`, run: async (signal) => await repairs.provision(signal) }
        : undefined,
  }),
  check<Trust>({
    id: "certificates",
    layer: "connection",
    title: "the certificates are in their time, of our CA, and for this address",
    needs: ["engine-reachable", "host-clock", "local-clock"],
    of: "machine",
    probe: async (subject) => {
      const engine = await subject.engine();
      return engine && { engine, certificates: await subject.certificates(), seen: await examination(subject) };
    },
    judge: ({ engine: { error, url }, certificates, seen }) => {
      const ended = certificates.find(({ state }) => state !== "expiring");
      if (ended !== undefined)
        return fail(ended.sentence, "its time is over, or has not come", ended.isShared ? "shared" : "own");
      if (isMachineError(error, "engine-certificate") && seen === undefined)
        return fail(error.message, "its engine was not set up from this store", "foreign", url);
      if (isMachineError(error, "engine-certificate") || isMachineError(error, "certificate-invalid"))
        return fail(
          error.message,
          "it is another store's, or for another address",
          isMachineError(error, "certificate-invalid") ? "shared" : "own",
        );
      const [ending] = certificates;
      return ending && warn(ending.sentence, "its time is nearly over", ending.isShared ? "shared" : "own");
    },
    advice: ({ kind, about }, { name = "" }) =>
      kind === "foreign" ? ownersCertificates(name, about ?? "") : certificateAdvice(name, kind === "shared"),
    repair: ({ kind }, { repairs }, { seen }) =>
      kind === "own" && seen !== undefined && isHarmless(seen.plan)
        ? {
            what: "make a new certificate for the engine; its containers keep running",
            run: async (signal) => await repairs.regenerateCertificates(signal),
          }
        : undefined,
  }),
  check<Versions>({
    id: "api-version",
    layer: "connection",
    title: "client and engine have a version of the API in common",
    needs: ["engine-socket"],
    of: "machine",
    probe: async (subject) => {
      const seen = await examination(subject);
      const engine = await subject.engine();
      // Nothing is known of an engine that was not reached by either way.
      if (engine?.version === undefined && seen === undefined) return undefined;
      const { env } = await subject.shell();
      return {
        least: engine?.version?.MinAPIVersion ?? seen?.health.minApiVersion,
        most: engine?.version?.ApiVersion ?? seen?.health.apiVersion,
        client: await subject.clientApi(),
        asked: env["DOCKER_API_VERSION"] || undefined,
      };
    },
    judge: ({ least, client, asked }) => {
      const spoken = asked ?? client;
      if (least === undefined || spoken === undefined || !isOlder(spoken, least)) return undefined;
      return fail(
        `client version ${spoken} is too old. Minimum supported API version is ${least}`,
        asked === undefined
          ? "the docker client of this computer is older than the engine takes"
          : "DOCKER_API_VERSION asks for it",
        asked === undefined ? "client" : "variable",
      );
    },
    advice: ({ kind }) =>
      kind === "variable"
        ? "unset DOCKER_API_VERSION"
        : 'Upgrade the docker client here; as a stopgap "min-api-version" in /etc/docker/daemon.json on the machine',
  }),
];
