/**
 * What a package manager must offer so that installing an engine reads the same on every system. Implementations
 * define shell functions; they run after the changing functions (`managed`, `fail`, `put`, …).
 */
import type { ShellText } from "../shell/shell-text.ts";

export interface PackageManager {
  /** As the user knows it: `apt`, `dnf`, … */
  readonly name: string;
  /**
   * Defines:
   * - `pkg_list`: names of the installed packages, one a line.
   * - `pkg_refresh`: brings the lists of all sources up to date.
   * - `pkg_refresh_one FILE`: those of one source file alone.
   * - `pkg_trust FILE`: lets the manager know a key file that was verified, where the source alone does not name it.
   * - `pkg_available NAME`: a package of that name can be had without refreshing.
   * - `pkg_spec NAME VERSION`: prints what to ask for to get that version; nothing when it cannot be had.
   * - `pkg_install WORD…`: installs; never upgrades what is not asked for.
   * - `pkg_upgrade WORD…`: brings these packages, and no others, to the newest or the named version.
   * - `pkg_remove NAME…`: removes packages with their configuration, never an engine's data.
   * and sets `pkg_busy`, an extended regular expression of what it prints when its lock is held.
   */
  readonly functions: ShellText;
}
