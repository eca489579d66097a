/** The distribution's own packages of the engine. */
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import type { EngineRequest } from "../provision-request.ts";
import { addPackage, bringPackages } from "./docker-repository.ts";
import type { Installation } from "./installation.ts";
import type { PackageManager } from "./package-manager.ts";

export interface DistributionPackages {
  /** The engine's package; `--engine-version` is about this one. */
  readonly engine: string;
  /** Installed where they exist: systems that split the client off, and those that do not. */
  readonly optional?: readonly string[] | undefined;
  /** What makes the package reachable, and how the plan says it. */
  readonly before?: { readonly title: string; readonly script: ShellText } | undefined;
}

export function distributionInstallation(
  packages: DistributionPackages,
  manager: PackageManager,
  engine: EngineRequest,
): Installation {
  const optional = packages.optional ?? [];
  const bringing = bringPackages(
    joinLines(
      sh`pkg_available ${packages.engine} || pkg_refresh || pkg_available ${packages.engine} ||
  fail package-manager ${`${manager.name} could not bring its lists of packages up to date on`}" $label"`,
      addPackage(packages.engine, engine.version),
      optional.length > 0 &&
        sh`optional=${optional.join(" ")}
wanted="$wanted$(pkg_offered $optional)"`,
    ),
  );
  return {
    source: "distro",
    title: `${packages.engine}, the distribution's package`,
    steps: [
      ...(packages.before === undefined ? [] : [packages.before.title]),
      `install ${packages.engine}${engine.version === undefined ? "" : ` ${engine.version}`}${optional.map((name) => `, ${name} (where there is one)`).join("")} with ${manager.name}, and what it depends on`,
    ],
    files: [],
    manager,
    rehearse: joinLines(sh`pkg_try_in "$room"`, bringing),
    install: () => joinLines(packages.before?.script, bringing),
  };
}
