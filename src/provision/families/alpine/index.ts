/** Alpine Linux: apk, OpenRC. */
import { distributionInstallation } from "../../install/distribution.ts";
import { staticInstallation } from "../../install/static-binaries.ts";
import type { Family } from "../family.ts";
import { apk } from "./apk.ts";

export const alpine: Family = {
  name: "alpine",
  ids: ["alpine", "postmarketos"],
  manager: () => apk,
  automatic: ["distro"],
  installation(source, facts, engine) {
    if (source === "distro") return distributionInstallation({ engine: "docker" }, apk, engine);
    // Docker's script and repository know nothing of Alpine.
    return source === "static" ? staticInstallation(facts, engine, apk) : undefined;
  },
};
