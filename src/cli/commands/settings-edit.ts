/** `settings edit`: config.yml in the user's editor, with an example to begin from, and looked at afterwards. */
import { MachineError, systemCodeOf } from "../../errors/machine-error.ts";
import * as path from "node:path";
import { makePrivateDirectory, readRegularFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { SystemProcessRunner } from "../../system/process.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { checkSettingsFile, requireSettingsFile } from "../settings/check-file.ts";

const example = `# Settings of docker-machine. Flags and environment variables weigh more than what stands here.
# docker-machine settings check looks at it.

# driver: docker                # of create, where none is given
# create:                       # create flags, without dashes
#   engine-label: [team=ops]
#   qemu-memory: 4GB
# profiles:                     # docker-machine create --profile ci web
#   ci:
#     driver: docker
#     create:
#       docker-memory: 2GB
`;

export async function run(_invocation: Invocation, context: CliContext): Promise<void> {
  const { computer } = context;
  const file = requireSettingsFile(computer);
  const before = await readRegularFileIfExists(file);
  if (before === undefined) {
    await makePrivateDirectory(path.dirname(file));
    await writeFileAtomic(file, example, 0o600);
  }
  const editor = computer.env["VISUAL"] || computer.env["EDITOR"] || (computer.os === "windows" ? "notepad" : "vi");
  await openEditor(editor, file, context);
  await checkSettingsFile(computer);
  context.print(`${file} is good.`);
}

/** An editor may be given with flags of its own, as git takes it: `code --wait`. */
async function openEditor(editor: string, file: string, { computer }: CliContext): Promise<void> {
  const [program = "", ...flags] = editor.split(/\s+/u).filter((word) => word !== "");
  const child = new SystemProcessRunner(computer).spawn(program, [...flags, file], { stdio: "inherit" });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => reject(noEditor(program, error)));
    child.once("close", resolve);
  });
  if (status !== 0)
    throw new MachineError("settings-invalid", `The editor ${program} ended with status ${status}; ${file} is as it left it`);
}

function noEditor(program: string, error: Error): MachineError {
  const reason = systemCodeOf(error) === "ENOENT" ? "is not installed" : `cannot be started: ${error.message}`;
  return new MachineError("program-missing", `The editor ${program} ${reason}`, {
    cause: error,
    hint: "Name one that is by VISUAL=nano docker-machine settings edit.",
  });
}
