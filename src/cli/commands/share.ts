/** `share NAME... --with KEY --for 8h`: lets somebody use the engines of machines, by a key of their own. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import { longestCertificateMs, requireCertifiableMachine, shareByCertificate } from "../../machine/sharing/certificate-share.ts";
import { requireSharableMachine, shareMachine, type GuestRequest, type Shared } from "../../machine/sharing/share.ts";
import { isPersonName } from "../../provision/scripts/guests-script.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import { parsePublicKey } from "../../ssh/public-key.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import { readTimeText } from "../../system/time-text.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { makeNamedFolder, writeNamedFile } from "../named-file.ts";
import { readNamed } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { isConfirmed, selectedNames } from "../selection/select-machines.ts";

const noKey = "--with says who the guest is: their public key, or a file with it";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  const request = await readRequest(invocation, context);
  const names = await selectedNames(openContext(context), invocation, context);
  if (options.bool("tls")) return await shareCertificates(names, request, invocation, context);
  if (options.isSet("folder"))
    throw new MachineError("usage", "--folder is for the certificates of --tls, and a share without it writes none", {
      hint: "Leave --folder out, or say --tls, whose certificate nothing takes back.",
    });
  if (!options.bool("y")) {
    const sharable = await sharableOf(names, context);
    const what = request.mode === "shell" ? "a root shell on" : "the engine of";
    logTo(
      context.report,
      "info",
      `${request.person} would get ${what} ${sharable.join(", ")} for ${options.string("for")}. A share is root on the machine. unshare shuts this door at once; what was done with root stays done. Build the machine anew when you stopped trusting somebody.`,
    );
    if (!(await isConfirmed("Share?", "share", context))) return;
  }
  await readNamed(
    context,
    names,
    async (machineContext, name) => await shareMachine(machineContext, name, request, context.signal),
    (shared) => linesOf(shared, request, context),
  );
}

/** Those that a person has to be asked about: what the others lack is said by the attempt. Throws where there is nothing to ask. */
async function sharableOf(names: readonly string[], context: CliContext): Promise<readonly string[]> {
  const machines = openContext(context);
  const outcomes = await forEachMachine(names, names.length, async (name) => await requireSharableMachine(machines, name));
  const sharable = outcomes.filter(({ error }) => error === undefined).map(({ name }) => name);
  if (sharable.length === 0) throwFailures(outcomes);
  return sharable;
}

/** Of one machine, so that a folder is one machine's. */
async function shareCertificates(
  names: readonly string[],
  request: GuestRequest,
  { options }: Invocation,
  context: CliContext,
): Promise<void> {
  const folder = options.string("folder");
  const [name = "", ...others] = names;
  if (others.length > 0 || folder === "" || options.isSet("mode"))
    throw new MachineError("usage", "--tls is for one machine, goes with --folder and not with --mode", {
      hint: "share web --tls --with key.pem.pub --as alice --for 8h --folder alice-web",
    });
  if (request.forMs > longestCertificateMs)
    throw new MachineError("usage", "A certificate cannot be taken back, and is given for 24 hours at most", {
      hint: "Say --for 24h or less. A share without --tls can be for longer: unshare ends it.",
    });
  await requireCertifiableMachine(openContext(context), name, request.key);
  if (!options.bool("y")) {
    const what = `${request.person} would get a certificate for ${options.string("for")} that opens the engine of "${name}", and of every machine of this store whose port they reach: all believe the same authority`;
    const how =
      "That is root on them. Nothing takes it back: unshare cannot, regenerate-certs does not; only another authority for the whole store would";
    logTo(context.report, "info", `${what}. ${how}. A share without --tls can be ended at once.`);
    if (!(await isConfirmed("Share?", "share", context))) return;
  }
  // Before anything is given that cannot be taken back.
  await makeNamedFolder(folder, context);
  const shared = await shareByCertificate(openContext(context), name, request, context.signal);
  await writeNamedFile(path.join(folder, "ca.pem"), shared.ca, context);
  await writeNamedFile(path.join(folder, "cert.pem"), shared.certificate, context);
  const { url } = shared;
  if (context.globals.output === "json") return context.printJson([{ name, url, folder, until: shared.until }]);
  context.print(
    `${request.person} may use "${name}" until ${shared.until.toISOString()}. Nothing in ${folder} is secret; beside ${request.person}'s own key.pem it serves docker:`,
  );
  context.print(`DOCKER_HOST=${url} DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${quoteWord(folder)} docker ps`);
}

function linesOf({ name, ticket, until }: Shared, { person }: GuestRequest, { program }: CliContext): readonly string[] {
  return [
    `${person} may use "${name}" until ${until.toISOString()}. Nothing in this ticket is secret; ${person} runs:`,
    `${program.base} share accept ${ticket}`,
  ];
}

async function readRequest({ options }: Invocation, context: CliContext): Promise<GuestRequest> {
  const { text, comment } = await readKey(options.string("with"), context);
  const key = parsePublicKey(text);
  if (key === undefined) {
    const isMissing = options.string("with") === "";
    throw new MachineError("usage", isMissing ? noKey : "--with is neither a public key nor a file with one", {
      hint: `The guest prints it with: ${context.program.base} share request`,
    });
  }
  const person = options.string("as") === "" ? comment : options.string("as");
  if (!isPersonName(person)) {
    throw new MachineError("usage", `${JSON.stringify(person)} cannot be a guest's name`, {
      hint: "Give one by --as: letters, digits, dots, dashes and @, 64 at most.",
    });
  }
  const forMs = readTimeText(options.string("for"));
  if (forMs === undefined) {
    throw new MachineError("usage", `--for ${JSON.stringify(options.string("for"))} is no time`, {
      hint: "Say how long the guest may stay: --for 8h, --for 30d.",
    });
  }
  return { person, key, mode: options.string("mode") === "shell" ? "shell" : "engine", forMs };
}

/** The first line that is a key, and its comment. */
async function readKey(given: string, { computer }: CliContext): Promise<{ readonly text: string; readonly comment: string }> {
  const isKey = parsePublicKey(given) !== undefined;
  const file = path.resolve(computer.cwd, given);
  const text = isKey ? given : ((await readRegularFileIfExists(file).catch(() => undefined))?.toString("utf8") ?? "");
  const line = text.split("\n").find((each) => parsePublicKey(each) !== undefined) ?? "";
  return { text: line, comment: line.trim().split(/\s+/u).slice(2).join("-") };
}
