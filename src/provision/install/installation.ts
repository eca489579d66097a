/** One way to get an engine onto a host that has none, as a plan can print it and a script can do it. */
import type { EngineSource } from "../provision-request.ts";
import type { ShellText } from "../shell/shell-text.ts";
import type { PackageManager } from "./package-manager.ts";

/** A package repository of Docker's or a mirror of it. */
export interface PackageRepository {
  readonly url: string;
  /** A file that exists when the repository has packages for this system; asked for before anything is changed. */
  readonly indexUrl: string;
  readonly keyUrl: string;
  readonly keyFile: string;
  readonly sourceFile: string;
  readonly sourceText: string;
  /** The only keys that may be in the downloaded key file. */
  readonly fingerprints: readonly string[];
}

export interface Installation {
  readonly source: Exclude<EngineSource, "auto">;
  /** For events and the plan: `docker-ce from https://download.docker.com/linux/debian bookworm`. */
  readonly title: string;
  /** Lines of the plan: what it does, in order. */
  readonly steps: readonly string[];
  /** Doubts that the plan passes on. */
  readonly remarks?: readonly string[] | undefined;
  /** Files it writes. */
  readonly files: readonly string[];
  readonly repository?: PackageRepository | undefined;
  /** Where packages are installed. */
  readonly manager?: PackageManager | undefined;
  /** Brings the tools for the download, looks whether the repository can be reached, prints its key. */
  readonly prepare?: ShellText | undefined;
  /**
   * The same choice of packages as {@link install}, handed to `$bring`, without changing anything: asks what would become
   * of those that are there. May write to the folder `$room` alone; says `unreachable WHY` or `fail - WHY` where it
   * cannot be told. A repository's key is printed as by {@link prepare}.
   */
  readonly rehearse?: ShellText | undefined;
  /**
   * Installs by `$bring` (`pkg_install` or `pkg_upgrade`). Calls `before_engine_changes` before the first thing that an engine
   * which runs could notice, and after all that can fail without it: choosing, downloading. Repeating it after a failure goes on
   * where that one stopped.
   */
  readonly install: (verifiedKey: string) => ShellText;
}
