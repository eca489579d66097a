import { mkdir, readdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { MachineError, systemCodeOf } from "../../errors/machine-error.ts";
import { pluginPrefix } from "../../plugin/plugin-environment.ts";
import { explainFileError } from "../../system/files.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { driverProject } from "../driver-template/project.ts";

/** Writes the project of a new driver into a new folder of the current one. */
export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const name = requireDriverName(args[0] ?? "");
  const folder = path.resolve(context.computer.cwd, `${pluginPrefix}${name}`);
  await makeEmptyFolder(folder);
  for (const [file, text] of Object.entries(driverProject(name))) {
    const target = path.join(folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  context.print(`The driver's project is in ${folder}. Try it with:`);
  context.print(`  cd ${path.basename(folder)} && npm install && npm test`);
}

/** Flags begin with the driver's name, and tools read it from the program's name: so it has no dashes. */
function requireDriverName(name: string): string {
  if (/^[a-z][a-z0-9]*$/u.test(name)) return name;
  throw new MachineError("usage", `"${name}" is no name for a driver`, {
    hint: "It is made of lower-case letters and digits and begins with a letter, as in: docker-machine driver new mycloud",
  });
}

async function makeEmptyFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length === 0) return;
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw explainFileError(error, folder, "create");
  }
  throw new MachineError("usage", `${folder} exists already and is not empty`, { hint: "Choose another name, or remove it." });
}
