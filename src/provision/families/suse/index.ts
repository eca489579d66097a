/** SUSE Linux Enterprise and openSUSE: zypper. Docker has no packages of its own for them on common hardware. */
import type { HostFacts } from "../../facts/facts.ts";
import { distributionInstallation } from "../../install/distribution.ts";
import { scriptInstallation } from "../../install/script-from-url.ts";
import { staticInstallation } from "../../install/static-binaries.ts";
import { sh } from "../../shell/shell-text.ts";
import type { Family } from "../family.ts";
import { zypper } from "./zypper.ts";

export const suse: Family = {
  name: "suse",
  ids: ["suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "sled", "sles_sap"],
  manager: () => zypper,
  automatic: ["distro"],
  installation(source, facts, engine) {
    if (source === "docker") return undefined;
    if (source === "distro")
      return distributionInstallation({ engine: "docker", before: containersModule(facts) }, zypper, engine);
    return source === "script" ? scriptInstallation(facts, engine, zypper) : staticInstallation(facts, engine, zypper);
  },
};

/** On SUSE Linux Enterprise the engine is in a module that a registered system switches on, as 0.16.2 did. */
function containersModule({ os, architecture }: HostFacts) {
  if (!os.id.startsWith("sle")) return undefined;
  const product = `sle-module-containers/${os.versionId}/${architecture}`;
  return {
    title: `switch on ${product} with SUSEConnect, if docker cannot be had without it`,
    script: sh`pkg_available docker || ! has SUSEConnect || managed SUSEConnect -p ${product}`,
  };
}
