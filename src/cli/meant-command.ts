/** Which command somebody meant who mistyped it, or knows it by the name that other programs give it. Pure. */
import { nearest } from "../errors/nearest.ts";

const otherNames: Readonly<Record<string, readonly string[]>> = {
  add: ["create"],
  clean: ["prune"],
  clear: ["prune"],
  connect: ["ssh"],
  copy: ["scp"],
  cp: ["scp"],
  delete: ["rm"],
  down: ["stop"],
  get: ["inspect"],
  halt: ["stop"],
  info: ["inspect"],
  list: ["ls"],
  login: ["ssh"],
  mv: ["rename"],
  new: ["create", "new"],
  ps: ["ls"],
  reboot: ["restart"],
  remove: ["rm"],
  resize: ["edit"],
  run: ["with", "exec"],
  shell: ["ssh"],
  show: ["inspect"],
  up: ["start", "create"],
  use: ["env"],
};

/** The names that may be meant, the likeliest first; none where nothing is near. */
function meantCommands(word: string, names: readonly string[]): readonly string[] {
  const others = (Object.hasOwn(otherNames, word) ? (otherNames[word] ?? []) : []).filter((name) => names.includes(name));
  if (others.length > 0) return others;
  const found = nearest(word, names);
  return found === undefined ? [] : [found];
}

/** `Did you mean docker-machine start or docker-machine create?` */
export function commandHint(word: string, names: readonly string[], prefix: string): string | undefined {
  const meant = meantCommands(word, names).map((name) => `${prefix} ${name}`);
  return meant.length === 0 ? undefined : `Did you mean ${meant.join(" or ")}?`;
}
