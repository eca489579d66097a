/** Start-up, `env` and `ls` with one machine: what a shell prompt and a script wait for. */
import { Program, type ProgramKind } from "../e2e/program.ts";
import { medianOf, type Row } from "./measure.ts";

const times = 15;

export async function measureStart(): Promise<readonly Row[]> {
  return [...(await measureProgram("executable")), ...(await measureProgram("node"))];
}

async function measureProgram(kind: ProgramKind): Promise<Row[]> {
  await using program = await Program.open(kind);
  await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "one"]);
  const time = async (args: readonly string[]): Promise<number> => await medianOf(async () => await program.run(args), times);
  return [
    { what: `version (${kind})`, value: await time(["version"]) },
    { what: `ls -q, 1 machine (${kind})`, value: await time(["ls", "-q"]) },
    { what: `ls, 1 machine without an engine (${kind})`, value: await time(["ls"]) },
    { what: `env, engine refuses (${kind})`, value: await time(["env", "one"]) },
    { what: `inspect -f (${kind})`, value: await time(["inspect", "-f", "{{.DriverName}}", "one"]) },
  ];
}
