/** What a `qemu` machine is: the stored configuration, and how the create flags become it. No I/O. */
import * as path from "node:path";
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { ConfigOf } from "../../driver-kit/options.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { requireDistinct } from "./forwards.ts";
import { parseQemuImage } from "./image-source.ts";
import { qemuOptions } from "./options.ts";
import { parseSharedFolder } from "./shared-folder.ts";

export interface QemuConfig extends BaseConfig, ConfigOf<typeof qemuOptions> {
  SSHUser: string;
  /** Port of 127.0.0.1 that leads to the engine; `SSHPort` leads to sshd. Chosen before the first launch and kept. */
  EnginePort: number;
  /** Names this machine on its QEMU's command line, so that a pid can be recognised. */
  InstanceId: string;
  /** Digest of the image the disk was made from; "" before. */
  ImageDigest: string;
  /** How the guest is booted, see `Image.boot`. */
  Boot: string;
  /** How the guest learns its keys and name, see `Image.identity`. */
  Identity: string;
  /** A disk exists and the guest on it has its own identity. */
  Created: boolean;
  /** Public host key that the guest was given. */
  HostKey: string;
}

export function defaultConfig(machineName: string, storePath: string): QemuConfig {
  return {
    ...newBaseConfig(machineName, storePath),
    ...qemuOptions.defaults(),
    // As in a record that create has not filled yet.
    SSHUser: "",
    EnginePort: 0,
    InstanceId: "",
    ImageDigest: "",
    Boot: "",
    Identity: "",
    Created: false,
    HostKey: "",
  };
}

/** Fills the configuration from the create flags. Throws `driver-options` with the flag that is wrong. */
export function configure(config: QemuConfig, options: DriverOptions, cwd: string): void {
  Object.assign(config, qemuOptions.read(options));
  config.ShareFolders = config.ShareFolders.map((folder) => absoluteShare(folder, cwd));
  requireDistinct(config.OpenPorts);
  const source = parseQemuImage(config, cwd);
  // A create that goes on may run in another folder.
  if (source.kind === "file") config.Image = source.file;
  if (config.SaveState === "on" && config.ShareFolders.length > 0) {
    throw new MachineError(
      "driver-options",
      "--qemu-save-state on and --qemu-share-folder exclude each other: QEMU cannot save a machine with a shared folder",
    );
  }
}

function absoluteShare(text: string, cwd: string): string {
  const share = parseSharedFolder(text);
  return `${path.resolve(cwd, share.folder)}:${share.target}${share.readOnly ? ":ro" : ""}`;
}
