/** Flatcar, CoreOS and other systems that bring their engine with them on a read-only /usr. */
import { staticInstallation } from "../../install/static-binaries.ts";
import type { Family } from "../family.ts";

export const flatcar: Family = {
  name: "flatcar",
  ids: ["flatcar", "coreos"],
  automatic: [],
  installation: (source, facts, engine) => (source === "static" ? staticInstallation(facts, engine) : undefined),
};
