/**
 * The capabilities that a container with systemd and an engine in it is given: all that can be had. `--privileged` asks
 * for each one there is and fails where the engine itself lacks one, as it does inside other sandboxes.
 */

/** By bit number (linux/capability.h). */
const names =
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW " +
  "IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD " +
  "LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ";

/** Known since Linux 3.16, so to every engine that is still in use. */
export const wellKnown: readonly string[] = names.split(" ");

/** Missing in sandboxes that were seen. */
const oftenMissing = new Set(["SYS_RESOURCE"]);

/**
 * Sets to try, the most generous first, without repetition. `procStatus` is /proc/self/status of a process beside the
 * engine; "" where the engine runs elsewhere.
 */
export function capabilitySets(procStatus: string): readonly (readonly string[])[] {
  const own = boundingSet(procStatus);
  const sets = [wellKnown, ...(own === undefined ? [] : [own]), wellKnown.filter((name) => !oftenMissing.has(name))];
  return distinct(sets);
}

function distinct(sets: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return sets.filter((set, index) => sets.findIndex((other) => other.join() === set.join()) === index);
}

/** What is left to try after a complaint: all without the capability that it names, or else all but the set in use. */
export function setsAfter(complaint: string, sets: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const refused = /\bCAP_([A-Z_]+)/u.exec(complaint)?.[1];
  if (refused === undefined || sets[0]?.includes(refused) !== true) return sets.slice(1);
  return distinct(sets.map((set) => set.filter((name) => name !== refused)));
}

function boundingSet(procStatus: string): readonly string[] | undefined {
  const hex = /^CapBnd:\s*([0-9a-f]+)$/mu.exec(procStatus)?.[1];
  if (hex === undefined) return undefined;
  const bits = BigInt(`0x${hex}`);
  return wellKnown.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
}

/** Whether an engine's complaint is about a capability that it cannot give. */
export function isCapabilityComplaint(message: string): boolean {
  return /capabilit|apply caps|operation not permitted/iu.test(message);
}
