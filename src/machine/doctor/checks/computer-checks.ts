/** What is looked at on this computer, before any machine: the store, and what a shell tells docker clients. */
import { quoteWord } from "../../../ssh/shell-quote.ts";
import { check, fail, warn, type AnyCheck } from "../check.ts";
import type { FileProblem, Repairs, ShellLook, StoreLook } from "../subject.ts";
import type { Complaint, Repair } from "../check.ts";

const leastFreeMiB = 50;

export function judgeStore({ problems, freeMiB, isOnNfs, root, writeError }: StoreLook): Complaint | undefined {
  // First, because nothing that helps against the others can be done there.
  if (writeError?.why === "read-only")
    return fail(
      `${root} cannot be written`,
      `the file system at ${writeError.mountPoint} is mounted read-only`,
      "read-only",
      writeError.mountPoint,
    );
  const [first] = problems;
  if (first !== undefined) {
    const others = problems.length === 1 ? "" : `, and ${problems.length - 1} more`;
    const isMode = problems.every(({ mode }) => mode !== undefined);
    return fail(
      `${first.file} ${first.what}${others}`,
      isMode ? "its mode lets others in" : "its owner is another",
      isMode ? "mode" : "owner",
      root,
    );
  }
  if (writeError?.at === root) return fail(`${root} cannot be written`, "its mode forbids it", "denied", root);
  if (writeError !== undefined) return fail(`${root} cannot be made`, `you may not write in ${writeError.at}`, "unmade", root);
  if (freeMiB !== undefined && freeMiB < leastFreeMiB)
    return fail(`${freeMiB} MiB are free below ${root}`, "the disk is full", "full", root);
  if (isOnNfs) return warn(`${root} is on NFS`, "locks there may not hold between computers", "nfs", root);
  return undefined;
}

/** Whole, because records name its paths. */
function moving(root: string): string {
  return `move the store: cp -a ${root} FOLDER; MACHINE_STORAGE_PATH=FOLDER docker-machine config relocate --all`;
}

const storeAdvice: Readonly<Record<string, (root: string) => string>> = {
  mode: (root) => `chmod -R go-rwx ${root}`,
  owner: (root) => `sudo chown -R "$(id -un)" ${root}`,
  denied: (root) => `chmod -R u+rwX ${root}`,
  unmade: (root) => `sudo install -d -m 700 -o "$(id -un)" ${root}`,
  "read-only": (mountPoint) => `sudo mount -o remount,rw ${mountPoint}`,
  full: (root) => `Make room on that disk, or ${moving(root)}`,
  nfs: (root) => `Use the store from one computer at a time, or ${moving(root)}`,
};

/** The complaint names the folder. */
export function adviseOnStore({ kind = "owner", about = "" }: Complaint): string {
  return storeAdvice[kind]?.(quoteWord(about)) ?? "";
}

/** Modes alone: whose a file should be is not ours to say. */
export function repairStore({ kind }: Complaint, problems: readonly FileProblem[], repairs: Repairs): Repair | undefined {
  if (kind !== "mode") return undefined;
  return {
    what: `take the rights of others away from ${problems.map(({ file }) => file).join(", ")}`,
    run: async () => {
      for (const { file, mode } of problems) if (mode !== undefined) await repairs.chmod(file, mode);
    },
  };
}

/** Before 1.12; no engine of today answers it. */
const oldestApi = 1.24;

function judgeShell({ env, urls, names, proxied, certPathExists }: ShellLook): Complaint | undefined {
  const [host = "", context = "", api = "", certPath = ""] = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
  ].map((name) => env[name] ?? "");
  const own = names.find((name) => name === env["DOCKER_MACHINE_NAME"]);
  if (host !== "" && context !== "")
    return warn(
      `DOCKER_HOST=${host} and DOCKER_CONTEXT=${context} are both set`,
      "docker takes DOCKER_HOST, whatever the context is",
      "context",
    );
  if (/^tcp:/u.test(host) && env["DOCKER_MACHINE_NAME"] !== undefined && !urls.includes(host))
    return warn(
      `DOCKER_HOST=${host} is no machine's address`,
      "the variables are those of an earlier address or of a machine that is gone",
      "stale",
      own,
    );
  if (certPath !== "" && !certPathExists)
    return warn(`DOCKER_CERT_PATH=${certPath} does not exist`, "the variables are those of a machine that is gone", "stale", own);
  if (api !== "" && !(Number(api) >= oldestApi))
    return warn(`DOCKER_API_VERSION=${api}`, "no engine of today speaks that version", "api");
  if (proxied.length > 0)
    return warn(
      `a proxy is set, and NO_PROXY does not cover ${proxied.slice(0, 5).join(", ")}${proxied.length > 5 ? ", …" : ""}`,
      "docker clients ask the proxy for these engines",
      "proxy",
      proxied[0],
    );
  return undefined;
}

const shellAdvice: Readonly<Record<string, (machine: string | undefined) => string>> = {
  context: () => "unset DOCKER_CONTEXT, or unset DOCKER_HOST",
  stale: (machine) => `eval "$(docker-machine env ${machine ?? "-u"})"`,
  api: () => "unset DOCKER_API_VERSION",
  proxy: (machine) => `eval "$(docker-machine env --no-proxy ${machine})"`,
};

export const computerChecks: readonly AnyCheck[] = [
  check<StoreLook>({
    id: "store",
    layer: "computer",
    title: "the store can be read and written, by you alone",
    needs: [],
    of: "computer",
    probe: async (subject) => await subject.store(),
    judge: judgeStore,
    advice: adviseOnStore,
    repair: (complaint, { repairs }, { problems }) => repairStore(complaint, problems, repairs),
  }),
  check<ShellLook>({
    id: "shell",
    layer: "computer",
    title: "the variables of this shell lead docker clients to a machine",
    needs: [],
    of: "computer",
    probe: async (subject) => await subject.shell(),
    judge: judgeShell,
    advice: ({ kind = "", about }) => shellAdvice[kind]?.(about) ?? "",
  }),
];
