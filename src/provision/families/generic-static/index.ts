/** Any other Linux with systemd or OpenRC: Docker's static binaries. The last line of the registry. */
import { scriptInstallation } from "../../install/script-from-url.ts";
import { staticInstallation } from "../../install/static-binaries.ts";
import type { Family } from "../family.ts";

export const genericStatic: Family = {
  name: "generic-static",
  ids: [],
  accepts: () => true,
  automatic: ["static"],
  installation(source, facts, engine) {
    if (source === "static") return staticInstallation(facts, engine);
    return source === "script" ? scriptInstallation(facts, engine) : undefined;
  },
};
