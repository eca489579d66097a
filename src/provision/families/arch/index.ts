/** Arch Linux and what is built on it: pacman. */
import { distributionInstallation } from "../../install/distribution.ts";
import { scriptInstallation } from "../../install/script-from-url.ts";
import { staticInstallation } from "../../install/static-binaries.ts";
import type { Family } from "../family.ts";
import { pacman } from "./pacman.ts";

export const arch: Family = {
  name: "arch",
  ids: ["arch", "archarm", "manjaro", "endeavouros"],
  manager: () => pacman,
  automatic: ["distro"],
  installation(source, facts, engine) {
    if (source === "docker") return undefined;
    if (source === "distro") return distributionInstallation({ engine: "docker" }, pacman, engine);
    return source === "script" ? scriptInstallation(facts, engine, pacman) : staticInstallation(facts, engine, pacman);
  },
};
