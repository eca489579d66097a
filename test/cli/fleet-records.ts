/** Files of a fleet, and records of boxes, for tests of the program. */
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import type { CommandLine } from "./command-line.ts";

/** Of the fleet `shop`. */
export async function write(shell: CommandLine, text: string, name = "machines.yml"): Promise<void> {
  await writeFile(path.join(shell.folder, "work", name), `version: 1\nfleet: shop\n${text}`);
}

export const url = (last: number): string => `"tcp://192.0.2.${last}:2376"`;

/** A box that was adopted with more than its defaults, made from the record of `seed`. */
export function boxRecord(seed: string): string {
  const record = JSON.parse(seed.replaceAll("/machines/seed", "/machines/box")) as {
    Driver: object;
    HostOptions: { EngineOptions: object };
  };
  const engine = { ...record.HostOptions.EngineOptions, ArbitraryFlags: ["log-driver=local"], Labels: ["a=b"] };
  const own = { EnginePort: 2376, SSHKey: "", IPAddress: "192.0.2.30", SSHUser: "deploy", SSHPort: 2222, SSHKeyPath: "" };
  return JSON.stringify({
    ...record,
    Name: "box",
    DriverName: "generic",
    Driver: { ...record.Driver, ...own, MachineName: "box" },
    HostOptions: { ...record.HostOptions, EngineOptions: engine },
    Extra: { EngineVersion: "27.5" },
  });
}

/** The same box with every setting that a fleet's file can give it. */
export function fullRecord(seed: string, deadline: string): string {
  const record = JSON.parse(boxRecord(seed).replaceAll('"box"', '"full"').replaceAll("/machines/box", "/machines/full")) as {
    Driver: object;
    HostOptions: { EngineOptions: object; AuthOptions: object };
    Extra: object;
  };
  const { EngineOptions: engine, AuthOptions: auth } = record.HostOptions;
  const settings = {
    Env: ["HTTP_PROXY=http://proxy:3128", "NO_PROXY=a,b"],
    InsecureRegistry: ["10.0.0.0/8"],
    RegistryMirror: ["https://mirror.example"],
    StorageDriver: "overlay2",
    InstallURL: "https://example.com/install.sh",
  };
  const extra = {
    EngineSource: "script",
    EnginePackageMirror: "https://mirror.example/linux",
    EnginePackageKeys: ["/etc/key.asc"],
    EngineFirewall: "check",
    EngineAllowRemoval: true,
    EngineShareCa: true,
    TlsKeyType: "ecdsa",
    SshHostKey: `SHA256:${"a".repeat(42)}A`,
    Labels: { role: "web" },
    Expires: deadline,
    IdleSeconds: 5_400,
    TtlPowerOff: true,
    Protected: true,
  };
  const names = { ServerCertSANs: ["web.example"] };
  return JSON.stringify({
    ...record,
    Driver: { ...record.Driver, IPAddress: "192.0.2.31" },
    HostOptions: { ...record.HostOptions, EngineOptions: { ...engine, ...settings }, AuthOptions: { ...auth, ...names } },
    Extra: { ...record.Extra, ...extra },
  });
}
