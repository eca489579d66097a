/** Where this program keeps on a host what it must remember there. Root only. */
const folder = "/var/lib/docker-machine";

export const statePaths = {
  folder,
  /** What was changed on an adopted host, a line each, so that it can be undone. */
  manifest: `${folder}/manifest`,
  /** Files as they were before the first change. */
  originals: `${folder}/original`,
  /** The run under way: files as they were before it, to undo it when it fails or is cut off. */
  run: `${folder}/run`,
  /** Exists while the engine has not been restarted since its configuration changed. */
  restartOwed: `${folder}/restart-owed`,
  /** Checksums of our files as we left them. */
  sums: `${folder}/sums`,
  /** Exists while packages are being installed; holds the names of those that were there before. */
  packagesBefore: `${folder}/packages-before`,
  /** Names of the files in /etc before packages were first installed here. */
  settingsBefore: `${folder}/settings-before`,
  /** Shell commands that take firewall rules back. */
  undoFirewall: `${folder}/undo-firewall`,
  /** Who recorded what stands beside it: names of {@link ownerIdsOf}, a line each. */
  owner: `${folder}/owner`,
  /** What owners before the present one recorded, in folders with rising numbers. */
  below: `${folder}/below`,
} as const;
