/** From a machine's configuration to what QEMU is to be told. */
import type { Accelerator, LaunchSpec } from "./qemu-arguments.ts";
import type { QemuConfig } from "./config.ts";
import type { GuestArch } from "../../driver-kit/images/guest-arch.ts";
import type { IdentityFiles } from "./machine-folder.ts";
import type { ShareMethod } from "./programs.ts";
import { mountTag, parseSharedFolder } from "./shared-folder.ts";

export interface LaunchCircumstances {
  readonly arch: GuestArch;
  readonly windows: boolean;
  readonly identity: IdentityFiles;
  readonly firmware: string | undefined;
  readonly shareMethod: ShareMethod;
  /** The guest does not know its name yet. */
  readonly firstBoot: boolean;
}

export function launchSpec(config: QemuConfig, given: LaunchCircumstances): LaunchSpec {
  const shares = config.ShareFolders.map((text) => ({ ...parseSharedFolder(text), by: given.shareMethod.by }));
  const mounts = shares.map(
    ({ target, by, readOnly }, index) => `systemd.mount-extra=${mountTag(index)}:${target}:${by}${readOnly ? ":ro" : ""}`,
  );
  const name = given.firstBoot ? [`systemd.hostname=${config.MachineName}`] : [];
  return {
    name: config.MachineName,
    instanceId: config.InstanceId,
    arch: given.arch,
    accelerator: config.Accelerator as Accelerator,
    cpuCount: config.CPU,
    memoryMiB: config.Memory,
    boot:
      config.Boot === "kernel" ? { kind: "kernel", words: [...name, ...mounts] } : { kind: "firmware", firmware: given.firmware },
    ...given.identity,
    shares,
    memory: "own",
    windows: given.windows,
  };
}

/** For cloud-init: what to mount, as lines of fstab. */
export function cloudInitMounts(config: QemuConfig, method: ShareMethod): readonly (readonly string[])[] {
  const options = method.by === "9p" ? "trans=virtio,version=9p2000.L,nofail" : "nofail";
  return config.ShareFolders.map(parseSharedFolder).map(({ target, readOnly }, index) => [
    mountTag(index),
    target,
    method.by,
    `${options}${readOnly ? ",ro" : ""}`,
  ]);
}
