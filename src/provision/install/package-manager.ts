/**
 * What a package manager must offer so that installing an engine reads the same on every system. Implementations
 * define shell functions; they run after the changing functions (`managed`, `fail`, `put`, …).
 */
import type { PackageManagerName } from "../facts/facts.ts";
import type { ShellText } from "../shell/shell-text.ts";

export interface PackageManager {
  /** As the user knows it: `apt`, `dnf`, … */
  readonly name: string;
  /** The program that must be on the host, as the probe names it. */
  readonly program: PackageManagerName;
  /** How its user releases a package that is held. */
  readonly unhold: string;
  /**
   * Defines:
   * - `pkg_list`: the installed packages, `NAME VERSION` a line.
   * - `pkg_refresh`: brings the lists of all sources up to date.
   * - `pkg_refresh_one FILE`: those of one source file alone.
   * - `pkg_trust FILE`: lets the manager know a key file that was verified, where the source alone does not name it.
   * - `pkg_available NAME`: a package of that name can be had without refreshing.
   * - `pkg_offered NAME…`, where one question is quicker than several: those of them, a word each. One that tells by
   *   itself which it does not know gives all of them back, and leaves out of `$optional` what it turns out not to know.
   * - `pkg_spec NAME VERSION`: prints what to ask for to get that version; nothing when it cannot be had.
   * - `pkg_preview WORD…`: what `pkg_install WORD…` would do, asked of the manager's own simulation as if packages
   *   might be removed. Changes nothing and waits for no lock. Prints a line for each package: `install NAME VERSION`,
   *   `remove NAME VERSION` (also what another package replaces), `replace NAME OLD NEW` (`-` = not told), `held NAME`
   *   (its owner pinned it, so that nothing would be installed). Fails, with the manager's words, when it cannot tell.
   *   Where it left words out, those that remain are in `$words`.
   * - `pkg_state`, where the manager cannot be told to remove nothing: a word that is another one as soon as anything is
   *   that the preview depends on.
   * - `pkg_try_in FOLDER [SOURCE_FILE]`: from here on the functions above use lists of packages in FOLDER, those of
   *   SOURCE_FILE with them, and leave the host's own as they are. For looking only.
   * - `pkg_install WORD…`: installs; never upgrades what is not asked for. Lets nothing be removed unless `$may_remove` is
   *   `yes`: by the manager's own means, with `spare` after a failure, or else by `spare` first.
   * - `pkg_upgrade WORD…`: brings these packages, and no others, to the newest or the named version; the same rules.
   * - `pkg_keep_all`, where the manager can be told so: programs that the script runs from here on have it remove nothing.
   * - `pkg_needed NAME…`: other installed packages that would go with these, a line each, but for what `$coming_back`
   *   (names that are put back afterwards) brings them again; nothing where the manager
   *   itself refuses to remove what is needed.
   * - `pkg_remove NAME…`: removes packages with their configuration, never an engine's data.
   * - `pkg_put_back`: installs what an installation of ours removed, `NAME VERSION` a line on standard input, all at once
   *   and in those versions where they can be had.
   * - `pkg_distrust KEY`: where `pkg_trust` records `package-key KEY`, forgets that key.
   * and sets `pkg_busy`, an extended regular expression of what it prints when its lock is held.
   */
  readonly functions: ShellText;
}
