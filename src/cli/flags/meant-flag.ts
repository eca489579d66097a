/** Which flag somebody meant who knows other programs, or left the driver's name away. Pure. */
import { didYouMean } from "../../errors/nearest.ts";
import { dashed } from "./flag.ts";

/** What others call it, and what of ours it may be; with a value where only one will do. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  cpu: ["cpus", "cpu-count"],
  cpus: ["cpu-count"],
  disk: ["disk-size"],
  ip: ["ip-address"],
  json: ["output json"],
  key: ["ssh-key"],
  mem: ["memory"],
  port: ["ssh-port"],
  ram: ["memory"],
  user: ["ssh-user"],
};

/** `Did you mean --qemu-memory?` for `--memory`, `--mem` and `--qemu-mem`; undefined where nothing is near. */
export function meantFlag(word: string, known: Iterable<string>, show = dashed): string | undefined {
  const names = [...known];
  const [, driver = "", tail = ""] = /^([^-]+)-(.+)$/u.exec(word) ?? [];
  const ends = [word, ...(otherNames[word] ?? []), ...(otherNames[tail] ?? []).map((other) => `${driver}-${other}`)];
  const isMeant = (name: string, end: string): boolean => {
    const [own = ""] = end.split(" ");
    return name === own || (own.length > 1 && name.endsWith(`-${own}`));
  };
  for (const end of ends) {
    const name = names.find((each) => isMeant(each, end));
    if (name !== undefined) return `Did you mean ${show(name)}${end.slice(end.split(" ")[0]?.length)}?`;
  }
  return didYouMean(word, names, show);
}
