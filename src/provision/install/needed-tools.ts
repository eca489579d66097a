/** What a bare system lacks before an engine can be downloaded or run; its own package manager brings it. */
import type { HostFacts } from "../facts/facts.ts";
import { sh, type ShellText } from "../shell/shell-text.ts";
import type { PackageManager } from "./package-manager.ts";

export interface NeededTools {
  readonly packages: readonly string[];
  /** Lines of the plan. */
  readonly steps: readonly string[];
  /** Installs them, where there are any. */
  readonly script: ShellText | undefined;
}

const none: NeededTools = { packages: [], steps: [], script: undefined };

/** `extra`: programs, which on every family come in a package of the same name, that the engine itself calls. */
export function neededTools(
  facts: HostFacts,
  manager: PackageManager | undefined,
  url: string,
  extra: readonly string[] = [],
): NeededTools {
  const packages = [...missingForDownload(facts, url), ...extra.filter((program) => !facts.programs.has(program))];
  const [first] = packages;
  if (manager === undefined || first === undefined) return none;
  return {
    packages,
    steps: [`install ${packages.join(", ")} with ${manager.name}, and what they depend on`],
    script: sh`pkg_available ${first} || pkg_refresh; pkg_install ${packages}`,
  };
}

function missingForDownload(facts: HostFacts, url: string): readonly string[] {
  return [
    ...(facts.caCertificates || !url.startsWith("https:") ? [] : ["ca-certificates"]),
    ...(facts.programs.has("curl") || facts.programs.has("wget") ? [] : ["curl"]),
  ];
}
