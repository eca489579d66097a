/** VMware's programs: which product is asked, where they are, and what their errors mean. */
import * as path from "node:path";
import { CliTool } from "../../driver-kit/cli-tool.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import type { FailureRow } from "../../driver-kit/provider-error.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import type { Computer, OsName } from "../../system/computer.ts";

/** As `vmrun -T` takes it. */
export type Product = "fusion" | "ws";

const productOf = (os: OsName): Product => (os === "darwin" ? "fusion" : "ws");

export const productNames: Readonly<Record<Product, string>> = { fusion: "VMware Fusion", ws: "VMware Workstation" };

const fusionFolders = ["/Applications/VMware Fusion.app/Contents/Library", "/Applications/VMware Fusion.app/Contents/Public"];

/** On PATH, and where the installers put it. */
function usualPlaces(program: string, { os, env }: Pick<Computer, "os" | "env">): readonly string[] {
  switch (os) {
    case "darwin":
      return [program, ...fusionFolders.map((folder) => `${folder}/${program}`)];
    case "linux":
      return [program, `/usr/lib/vmware/bin/${program}`];
    case "windows":
      return [
        program,
        ...["ProgramFiles(x86)", "ProgramFiles"].flatMap((name) => {
          const folder = env[name];
          return folder === undefined ? [] : [path.join(folder, "VMware", "VMware Workstation", program)];
        }),
      ];
  }
}

type Finder = Pick<DriverContext, "processes" | "computer">;

const registryKey = "HKLM\\SOFTWARE\\WOW6432Node\\VMware, Inc.\\VMware Workstation";
const registryMs = 10_000;

/** Where Windows' registry says that Workstation is; undefined on other systems, or where it says nothing. */
async function registeredFolder({ processes, computer }: Finder, signal: AbortSignal): Promise<string | undefined> {
  const reg = computer.os === "windows" ? await processes.find("reg") : undefined;
  if (reg === undefined) return undefined;
  const { stdout } = await processes.run(reg, ["query", registryKey, "/v", "InstallPath"], { signal, timeoutMs: registryMs });
  return /^\s*InstallPath\s+REG_SZ\s+(\S.*?)\s*$/mu.exec(stdout.toString("utf8"))?.[1];
}

/** Names and paths to try for a program; the registry is asked only where none of the usual ones is there. */
async function placesOf(program: string, finder: Finder, signal: AbortSignal): Promise<readonly string[]> {
  const usual = usualPlaces(program, finder.computer);
  for (const place of usual) if ((await finder.processes.find(place)) !== undefined) return usual;
  const folder = await registeredFolder(finder, signal);
  return folder === undefined ? usual : [...usual, path.join(folder, program)];
}

const installHints: Readonly<Record<Product, string>> = {
  fusion: "Install VMware Fusion, or use the driver qemu, which needs no licence.",
  ws: "Install VMware Workstation Pro and put its folder on PATH, or use the driver qemu, which needs no licence.",
};

const failures: readonly FailureRow[] = [
  {
    message: /VMware Tools are not running/u,
    kind: "unsupported",
    sentence: 'The tools that VMware asks for a shutdown do not run in "{name}"',
    hint: "Install them there: docker-machine ssh {name} sudo apt-get install open-vm-tools",
  },
  {
    message: /already in use|in use by another/iu,
    kind: "busy",
    sentence: 'A file of "{name}" is in use',
    hint: "Close the machine in VMware's window, and try again.",
  },
  {
    message: /Cannot read the virtual machine configuration file|Cannot open VM/u,
    kind: "not-found",
    sentence: '{provider} cannot read the description of "{name}"',
    hint: "It may have been moved or changed; docker-machine rm {name} removes what is left.",
  },
  {
    message: /not powered on/u,
    kind: "busy",
    sentence: '"{name}" does not run',
  },
  {
    message: /enough (?:physical )?memory/iu,
    kind: "capacity",
    sentence: 'This computer has no memory left for "{name}"',
    hint: "Stop something, or create it with less: --vmwarefusion-memory-size 1024.",
  },
  {
    message: /licen[cs]e/iu,
    kind: "account",
    sentence: "{provider} has no valid licence",
    hint: "Enter one in its window; versions from 17.6.2 and 13.6.2 on need none.",
  },
  {
    message: /permission|denied|privileges/iu,
    kind: "permission",
    sentence: '{provider} may not do this for "{name}"',
    hint: "Look at the owner and the permissions of the machine's folder, and start VMware's window once: it asks for what it needs.",
  },
  {
    message: /\/dev\/vmmon|vmmon/u,
    kind: "unsupported",
    sentence: "The kernel modules of VMware are not loaded",
    hint: "Build them for this kernel: sudo vmware-modconfig --console --install-all",
  },
  {
    message: /Unknown error/u,
    kind: "server",
    sentence: "{provider} failed, and does not say why",
    hint: "The machine's own log says more: {log}",
  },
];

const fullDisk = /(?:not enough|no) space|disk (?:is )?full/iu;

/** How long most calls may take. */
const callMs = 60_000;

/** A program of VMware's. What went wrong it says on standard output, `Error: …`, and by a status that is not always set. */
class VmwareProgram {
  readonly #context: DriverContext;
  readonly #program: string;
  readonly #first: readonly string[];
  #tool: Promise<CliTool> | undefined;

  /** @param first arguments that each call begins with */
  constructor(program: string, first: readonly string[], context: DriverContext) {
    this.#context = context;
    this.#program = program;
    this.#first = first;
  }

  async #open(signal: AbortSignal): Promise<CliTool> {
    const { processes, clock, computer } = this.#context;
    const product = productOf(computer.os);
    const programs = await placesOf(this.#program, this.#context, signal);
    const options = { title: productNames[product], programs, installHint: installHints[product], failures };
    return new CliTool(options, { processes, clock });
  }

  async #opened(signal: AbortSignal): Promise<CliTool> {
    this.#tool ??= this.#open(signal);
    try {
      return await this.#tool;
    } catch (error) {
      // Whoever comes after an interruption looks again.
      this.#tool = undefined;
      throw error;
    }
  }

  /** Where it is. Throws `program-missing` in 0.16.2's words. */
  async require(signal: AbortSignal): Promise<string> {
    try {
      return await (await this.#opened(signal)).program();
    } catch (error) {
      if (!isMachineError(error, "program-missing")) throw error;
      const name = this.#program === "vmrun" ? "VMRUN" : this.#program;
      throw new MachineError("program-missing", `${name} not found`, { cause: error, hint: error.hint });
    }
  }

  async run(args: readonly string[], signal: AbortSignal, timeoutMs: number = callMs): Promise<string> {
    const { machineDir, machineName } = this.#context;
    const facts = { name: machineName, log: path.join(machineDir, "vmware.log") };
    try {
      const tool = await this.#opened(signal);
      const { stdout } = await tool.run([...this.#first, ...args], { timeoutMs, signal, facts });
      return stdout;
    } catch (error) {
      if (!isMachineError(error) || !fullDisk.test(error.message)) throw error;
      throw new MachineError("disk-full", `${this.#program} could not write the disk of "${machineName}": no space left`, {
        cause: error,
        hint: "Free some space there, or choose another store with --storage-path.",
      });
    }
  }
}

export interface VmwarePrograms {
  readonly product: Product;
  readonly vmrun: VmwareProgram;
  readonly diskManager: VmwareProgram;
}

export function openPrograms(context: DriverContext): VmwarePrograms {
  const product = productOf(context.computer.os);
  return {
    product,
    vmrun: new VmwareProgram("vmrun", ["-T", product], context),
    diskManager: new VmwareProgram("vmware-vdiskmanager", [], context),
  };
}

export interface ProductVersion {
  readonly major: number;
  readonly text: string;
}

const versionLine = /VMware (?:Fusion|Workstation)[A-Za-z: -]* (\d+)((?:\.\d+)+)/u;

/** Undefined where it cannot be told. `vmware-vmx` says it on standard error. */
export async function productVersion(finder: Finder, signal: AbortSignal): Promise<ProductVersion | undefined> {
  const { processes } = finder;
  for (const program of ["vmware-vmx", "vmware"]) {
    for (const place of await placesOf(program, finder, signal)) {
      const found = await processes.find(place);
      if (found === undefined) continue;
      const { stdout, stderr } = await processes.run(found, ["-v"], { signal, timeoutMs: callMs });
      const [, major, rest] = versionLine.exec(`${stdout.toString("utf8")}\n${stderr.toString("utf8")}`) ?? [];
      if (major !== undefined) return { major: Number(major), text: `${major}${rest}` };
    }
  }
  return undefined;
}
