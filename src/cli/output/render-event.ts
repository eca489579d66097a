/** Events as lines: the one place where 0.16.2's progress texts are written. Pure. */
import type { LogLevel, ProgressEvent } from "../../log/event.ts";

export interface RenderedEvent {
  readonly level: LogLevel;
  readonly text: string;
}

const trustTexts = {
  injected: "the key that was put into the machine",
  expected: "the key that was asked for",
  "known-hosts": "known from your known_hosts",
  "other-machine": "the same as that of",
  "first-use": "trusted on first use",
} as const;

const appliedTexts: Readonly<Record<string, string>> = {
  create: "Created",
  continue: "Finished",
  change: "Changed",
  mark: "Marked",
  repair: "Repaired",
  replace: "Replaced",
  remove: "Removed",
};

/** The line of an event; undefined for events that only a live view or NDJSON shows. */
export function renderEvent(event: ProgressEvent): RenderedEvent | undefined {
  switch (event.type) {
    case "log":
      return { level: event.level, text: fromDriver(event.level, event.text, event.machine) };
    case "creating-ca":
      return info(`Creating CA: ${event.path}`);
    case "creating-client-certificate":
      return info(`Creating client certificate: ${event.path}`);
    case "pre-create-check":
      return info("Running pre-create checks...");
    case "creating-instance":
      return info("Creating machine...");
    case "waiting-for-running":
      return info("Waiting for machine to be running, this may take a few minutes...");
    case "waiting-for-ssh":
      return info("Waiting for SSH to be available...");
    case "host-key-pinned":
      return info(
        `Host key of ${event.host} is ${event.fingerprint}, ${trustTexts[event.trust]}${event.sameAs === undefined ? "" : ` "${event.sameAs}"`}`,
      );
    case "detecting-os":
      return info("Detecting operating system of created instance...");
    case "detecting-provisioner":
      return info("Detecting the provisioner...");
    case "provisioning":
      return info(`Provisioning with ${event.provisioner}...`);
    case "preparing-certificates":
      return info("Copying certs to the local machine directory...");
    case "installing-engine":
      return info("Installing Docker...");
    case "copying-certificates":
      return info("Copying certs to the remote machine...");
    case "configuring-engine":
      return info("Setting Docker configuration on the remote daemon...");
    case "opening-firewall":
      return info(`Opening port ${event.port} in ${event.firewall}...`);
    case "configuring-swarm":
      return info("Configuring swarm...");
    case "checking-engine":
      return info("Checking connection to Docker...");
    case "engine-ready":
      return info("Docker is up and running!");
    case "machine-applied":
      return info(`${appliedTexts[event.action] ?? "Done"}.`);
    case "machine-planned":
    case "transfer":
    case "phase-started":
    case "phase-finished":
      return undefined;
  }
}

function info(text: string): RenderedEvent {
  return { level: "info", text };
}

/** A driver's own lines bear the machine's name, its debug lines the mark that plugins give them. */
function fromDriver(level: LogLevel, text: string, machine: string | undefined): string {
  if (machine === undefined) return text;
  return `(${machine}) ${level === "debug" ? "DBG | " : ""}${text}`;
}
