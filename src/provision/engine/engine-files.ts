/**
 * Where each init system reads the engine's settings, and how they are written there so that every value arrives
 * unchanged. Pure: facts and request in, files out.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { secretsOfAssignment } from "../../log/assignment-secrets.ts";
import type { HostFacts, InitSystem } from "../facts/facts.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import { SecretText } from "../shell/secret-text.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import { baseCommand, hostsFor, withoutHosts } from "./base-command.ts";
import { daemonJsonPath, mergeDaemonJson, type MergedSettings } from "./daemon-json.ts";
import {
  certificateFiles,
  engineArguments,
  engineSocket,
  listenAddress,
  storageDriverFor,
  type EngineSettings,
} from "./engine-settings.ts";
import { dropInFolder, dropInNames, secretEnvironmentPath } from "../shell/own-files.ts";
import type { Sharing } from "./owners.ts";
import { openrcScript, ownOpenrcScriptPath, ownSystemdUnitPath, systemdUnit } from "./own-units.ts";
import { environmentFileLine, environmentWord, execWord } from "./systemd-unit.ts";

export interface HostFile {
  readonly path: string;
  /** As `chmod` takes it. */
  readonly mode: "0644" | "0600" | "0755";
  readonly content: string | SecretText;
}

export interface EngineFiles {
  readonly files: readonly HostFile[];
  /** Files of ours that are of no use any more. */
  readonly remove: readonly string[];
  /** Things to say about them in the plan. */
  readonly remarks: readonly string[];
}

/** How an operating system's engine is configured. */
export interface EngineLayout {
  readonly certificateFolder: string;
  /** `ownService`: the engine has no unit or init script, and gets one of ours. */
  render(facts: HostFacts, request: ProvisionRequest, ownService: boolean): EngineFiles;
}

/** What is asked for, before an existing daemon.json has its say. `fresh` is judged on the host as first seen. */
export function settingsFor(
  request: ProvisionRequest,
  facts: HostFacts,
  certificateFolder: string,
  hosts: readonly string[],
): EngineSettings {
  return {
    hosts,
    storageDriver: storageDriverFor(request, facts),
    certificateFolder: request.engine.port === undefined ? undefined : certificateFolder,
    labels: [`provider=${request.driverName}`, ...request.engine.labels],
    insecureRegistries: request.engine.insecureRegistries,
    registryMirrors: request.engine.registryMirrors,
    options: request.engine.options,
    env: request.engine.env,
  };
}

/** Certificates first: whatever comes after them may fail and be repeated. */
export function certificateHostFiles(request: ProvisionRequest, folder: string, sharing: Sharing): readonly HostFile[] {
  if (request.engine.port === undefined) return [];
  const ca: HostFile = { path: `${folder}/${certificateFiles.ca}`, mode: "0644", content: sharing.ca };
  if (sharing.trusted.length > 0) return [ca];
  return [
    ca,
    { path: `${folder}/${certificateFiles.certificate}`, mode: "0644", content: request.serverCertificate },
    { path: `${folder}/${certificateFiles.key}`, mode: "0600", content: new SecretText(request.serverKey) },
  ];
}

const usualFolder = "/etc/docker";

function daemonJsonFiles(merged: MergedSettings, facts: HostFacts): readonly HostFile[] {
  if (merged.daemonJson === undefined || merged.daemonJson === facts.engine.daemonJson) return [];
  return [{ path: daemonJsonPath, mode: "0644", content: merged.daemonJson }];
}

/** Where dockerd is, or will be when static binaries are to come. */
function programOf(facts: HostFacts): string {
  return facts.engine.dockerdPath ?? "/usr/local/bin/dockerd";
}

function mergeRemarks(merged: MergedSettings): readonly string[] {
  return merged.joined.map((key) => `"${key}" of ${daemonJsonPath} is kept, and ours is added to it there`);
}

/** systemd: a drop-in that repeats the unit's own command line and adds ours. */
const systemdDropIn: EngineLayout = {
  certificateFolder: usualFolder,
  render(facts, request, ownService) {
    const base = baseCommand(facts.engine, request.engine.port, usualFolder, request.machineName);
    const wanted = settingsFor(request, facts, usualFolder, hostsFor(base, listenAddress(request)));
    const merged = mergeDaemonJson(wanted, facts.engine.daemonJson, request.machineName);
    const words = merged.omit.has("-H") ? withoutHosts(base.words) : base.words;
    const secret = request.engine.env.filter(isSecret);
    const dropIn = dropInText(words, engineArguments(merged.settings, merged.omit), request.engine.env);
    return {
      files: [
        ...(ownService ? [{ path: ownSystemdUnitPath, mode: "0644" as const, content: systemdUnit(programOf(facts)) }] : []),
        ...daemonJsonFiles(merged, facts),
        ...(secret.length > 0 ? [secretEnvironment(secret)] : []),
        { path: base.dropInPath, mode: "0644", content: dropIn },
      ],
      remove: [
        ...(base.staleDropIn === undefined ? [] : [base.staleDropIn]),
        ...(secret.length === 0 && facts.ownFiles.has(secretEnvironmentPath) ? [secretEnvironmentPath] : []),
      ],
      remarks: [
        ...mergeRemarks(merged),
        ...(base.dropInPath.endsWith(dropInNames[0])
          ? []
          : [`another drop-in in ${dropInFolder} sets ExecStart; ours is named to come after it`]),
      ],
    };
  },
};

function dropInText(base: readonly string[], args: readonly string[], env: readonly string[]): string {
  const lines = ["[Service]", "ExecStart=", `ExecStart=${[...base, ...args.map(execWord)].join(" ")}`];
  const open = env.filter((assignment) => !isSecret(assignment));
  if (open.length > 0) lines.push(`Environment=${open.map(environmentWord).join(" ")}`);
  if (open.length < env.length) lines.push(`EnvironmentFile=${secretEnvironmentPath}`);
  return `${lines.join("\n")}\n`;
}

function isSecret(assignment: string): boolean {
  return secretsOfAssignment(assignment).length > 0;
}

/** systemd shows the settings of a unit to everyone who asks, but not what a file of its environment holds. */
function secretEnvironment(assignments: readonly string[]): HostFile {
  const text = assignments.map((assignment) => `${environmentFileLine(assignment)}\n`).join("");
  return { path: secretEnvironmentPath, mode: "0600", content: new SecretText(text) };
}

/** A settings file is read by root's init scripts alone. */
function settingsMode(env: readonly string[]): HostFile["mode"] {
  return env.some(isSecret) ? "0600" : "0644";
}

const blockBegin = "# docker-machine: begin";
const blockEnd = "# docker-machine: end";

/** Our lines at the end of a settings file that belongs to the system, replacing those of an earlier run. */
export function withBlock(text: string, block: string): string {
  const rest = withoutBlock(text);
  const separator = rest === "" || rest.endsWith("\n") ? "" : "\n";
  return `${rest}${separator}${blockBegin}\n${block}${blockEnd}\n`;
}

export function withoutBlock(text: string): string {
  return text.replace(new RegExp(`^${blockBegin}\\n[\\s\\S]*?^${blockEnd}\\n?`, "mu"), "");
}

/** Settings that the init script sources: what stood in DOCKER_OPTS stays in front of ours. */
function settingsFile(
  path: string,
  quoteArgument: (argument: string) => string,
  initScript: (facts: HostFacts, label: string) => HostFile,
): EngineLayout {
  return {
    certificateFolder: usualFolder,
    render(facts, request, ownService) {
      const wanted = settingsFor(request, facts, usualFolder, [listenAddress(request) ?? [], engineSocket].flat());
      const merged = mergeDaemonJson(wanted, facts.engine.daemonJson, request.machineName);
      const options = engineArguments(merged.settings, merged.omit).map(quoteArgument).join(" ");
      const exports = request.engine.env.map((assignment) => `export ${exportWord(assignment)}\n`).join("");
      const existing = facts.engine.settingsFiles.find((file) => file.path === path)?.text ?? "";
      const block = `${options.includes("${docker_") ? openrcBlanks : ""}DOCKER_OPTS="$DOCKER_OPTS "${quoteWord(options)}\n${exports}`;
      return {
        files: [
          ...(ownService ? [initScript(facts, request.machineName)] : []),
          ...daemonJsonFiles(merged, facts),
          { path, mode: settingsMode(request.engine.env), content: withBlock(existing, block) },
        ],
        remove: [],
        remarks: mergeRemarks(merged),
      };
    },
  };
}

/** `NAME='value'`: the name must stay outside the quotes. */
function exportWord(assignment: string): string {
  const [name = "", ...rest] = assignment.split("=");
  return `${name}=${quoteWord(rest.join("="))}`;
}

/** These init scripts split DOCKER_OPTS at blanks and expand patterns; nothing can be quoted there. */
function unquotable(path: string): (argument: string) => string {
  return (argument) => {
    if (!/[\s*?[\]]/u.test(argument)) return argument;
    throw new MachineError(
      "engine-config-conflict",
      `The value "${argument}" cannot be written to ${path}: its init script splits at blanks and expands * and ?`,
      {
        hint: "Choose a value without blanks and patterns, or put it into /etc/docker/daemon.json.",
      },
    );
  };
}

/**
 * OpenRC splits DOCKER_OPTS at blanks, joins it again and evaluates it (start-stop-daemon.sh, supervise-daemon.sh), so
 * an argument is quoted for the evaluation and its blanks are hidden from the splitting in variables of the block.
 */
function openrcArgument(argument: string): string {
  if (quoteWord(argument) === argument) return argument;
  const escaped = argument.replace(/[\\"$`]/gu, "\\$&");
  return `"${escaped.replaceAll(" ", "${docker_blank}").replaceAll("\t", "${docker_tab}").replaceAll("\n", "${docker_line}")}"`;
}

const openrcBlanks = "docker_blank=' '\ndocker_tab='\t'\ndocker_line='\n'\n";

const openrcLayout = settingsFile("/etc/conf.d/docker", openrcArgument, (facts) => ({
  path: ownOpenrcScriptPath,
  mode: "0755",
  content: openrcScript(programOf(facts)),
}));
const defaultFileLayout = settingsFile("/etc/default/docker", unquotable("/etc/default/docker"), (facts, label) => {
  throw new MachineError(
    "os-unsupported",
    `The engine on ${label} has no init script, and there is none of ours for ${facts.init}`,
    {
      hint: "Install the distribution's package of the engine there.",
    },
  );
});

const boot2dockerFolder = "/var/lib/boot2docker";

/** boot2docker's profile: 0.16.2's text, because the ISO reads it line by line. */
export const boot2dockerLayout: EngineLayout = {
  certificateFolder: boot2dockerFolder,
  render(facts, request) {
    if (request.engine.port === undefined) throw needsTls(request.machineName);
    const settings = settingsFor(request, facts, boot2dockerFolder, []);
    const args = engineArguments(
      { ...settings, storageDriver: undefined },
      new Set(["--tlsverify", "--tlscacert", "--tlscert", "--tlskey"]),
    );
    const path = `${boot2dockerFolder}/profile`;
    args.forEach(unquotable(path));
    const lines = [
      "",
      `EXTRA_ARGS=${quoteWord(`\n${pairs(args).join("\n")}\n\n`)}`,
      `CACERT=${boot2dockerFolder}/${certificateFiles.ca}`,
      `DOCKER_HOST='-H ${listenAddress(request)}'`,
      `DOCKER_STORAGE=${settings.storageDriver ?? facts.engine.answer?.storageDriver ?? "overlay2"}`,
      "DOCKER_TLS=auto",
      `SERVERKEY=${boot2dockerFolder}/${certificateFiles.key}`,
      `SERVERCERT=${boot2dockerFolder}/${certificateFiles.certificate}`,
      "",
      ...request.engine.env.map((assignment) => `export ${exportWord(assignment)}`),
    ];
    const mode = settingsMode(request.engine.env);
    return { files: [{ path, mode, content: `${lines.join("\n")}\n` }], remove: [], remarks: [] };
  },
};

/** Its init script makes certificates and opens the port whatever is asked for. */
function needsTls(label: string): MachineError {
  return new MachineError("os-unsupported", `The operating system of ${label} opens its engine's port by itself`, {
    hint: "Create the machine without --engine-transport ssh.",
  });
}

/** A flag and its value on one line. */
function pairs(args: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const arg of args) {
    if (arg.startsWith("-")) lines.push(arg);
    else lines.push(`${lines.pop() ?? ""} ${arg}`.trim());
  }
  return lines;
}

const layouts: Readonly<Record<Exclude<InitSystem, "none">, EngineLayout>> = {
  systemd: systemdDropIn,
  openrc: openrcLayout,
  upstart: defaultFileLayout,
  sysv: defaultFileLayout,
};

/** The layout of an init system. Hosts without one never come this far. */
export function layoutFor(init: InitSystem): EngineLayout {
  return layouts[init === "none" ? "sysv" : init];
}
