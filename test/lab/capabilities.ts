/**
 * The capabilities of a lab host: a systemd with an engine in it needs almost all. `--privileged` would ask for those
 * that this computer itself may lack (SYS_RESOURCE in some sandboxes) and fail, so what is there is listed instead.
 */
import { readFile } from "node:fs/promises";

/** Names by bit number, capability.h of the Linux kernel. */
const names = [
  ..."CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE".split(" "),
  ..."NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN".split(
    " ",
  ),
  ..."SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE".split(
    " ",
  ),
  ..."MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ".split(" "),
];

/** Names of the capabilities of this process that an engine of any age knows. */
export async function ownCapabilities(): Promise<string[]> {
  const status = await readFile("/proc/self/status", "utf8");
  const bits = BigInt(`0x${/^CapBnd:\s*(\w+)$/mu.exec(status)?.[1] ?? "0"}`);
  return names.filter((_, bit) => (bits >> BigInt(bit)) & 1n);
}
