/**
 * Options of hypervisors on this computer that are the same for all: which image a machine starts from, who logs in, and
 * what else its guest is told at its first boot. Keys are the fields of the record.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { absoluteFile } from "../given-options.ts";
import { bool, text, userName, type Option } from "../options.ts";
import { parseImageSource, type ImageSource } from "./image-source.ts";

interface GuestOptions {
  readonly Image: Option<"string">;
  readonly ImageChecksum: Option<"string">;
  readonly ImageRefresh: Option<"bool">;
  readonly CloudConfig: Option<"string">;
}

/** The user that 0.16.2 logs in as on all its hypervisors. */
const hypervisorUser = "docker";

/** @param variables beginning of the variables' names: `HYPERV` */
export function guestOptions(variables: string): GuestOptions {
  return {
    /** As the user named it. */
    Image: text("image", {
      usage: "Disk image: default (Debian's cloud image), a qcow2 or raw file, or a URL",
      envVar: `${variables}_IMAGE`,
      value: "default",
    }),
    ImageChecksum: text("image-checksum", {
      usage: "Checksum of the image, or of the boot2docker ISO, behind a URL: sha256:HEX, sha512:HEX, or the URL of a list",
      envVar: `${variables}_IMAGE_CHECKSUM`,
    }),
    ImageRefresh: bool("image-refresh", {
      usage: "Download the image anew although it is in the cache",
      envVar: `${variables}_IMAGE_REFRESH`,
    }),
    /** A path. */
    CloudConfig: text("cloud-config", {
      usage: "File of user data for cloud-init, joined with what the machine needs",
      envVar: `${variables}_CLOUD_CONFIG`,
    }),
  };
}

/** @param envVar in 0.16.2's spelling where it had the flag */
export function userOption(envVar: string, usage: string): Option<"string"> {
  return text("ssh-user", {
    usage,
    envVar,
    value: hypervisorUser,
    matches: userName,
  });
}

/** What a record with these options says that the machine starts from. */
export interface RecordedImage {
  Image: string;
  ImageChecksum: string;
  Boot2DockerURL: string;
}

/** Throws `driver-options`. @param prefix the driver's name: messages name its flags */
export function imageSourceOf({ Image, ImageChecksum, Boot2DockerURL }: RecordedImage, prefix: string, cwd: string): ImageSource {
  return parseImageSource({ image: Image, checksum: ImageChecksum, isoUrl: Boot2DockerURL }, prefix, cwd);
}

/** Makes the paths absolute, for a create that goes on may run in another folder. Throws `driver-options` for what cannot be an image. */
export function recordImage(config: RecordedImage, prefix: string, cwd: string): ImageSource {
  const source = imageSourceOf(config, prefix, cwd);
  if (source.kind === "file") config.Image = source.file;
  if (source.kind === "iso") config.Boot2DockerURL = source.location;
  return source;
}

/** The same with what goes along. Throws `driver-options` also for what boot2docker cannot have. */
export function recordGuest(config: RecordedImage & { SSHUser: string; CloudConfig: string }, prefix: string, cwd: string): void {
  config.CloudConfig = absoluteFile(config.CloudConfig, cwd);
  if (recordImage(config, prefix, cwd).kind !== "iso") return;
  if (config.SSHUser !== hypervisorUser) throw besideIso(prefix, "ssh-user", "boot2docker has the user docker");
  if (config.CloudConfig !== "") throw besideIso(prefix, "cloud-config", "boot2docker has no cloud-init");
}

function besideIso(prefix: string, flag: string, why: string): MachineError {
  return new MachineError("driver-options", `--${prefix}-${flag} and --${prefix}-boot2docker-url exclude each other: ${why}`, {
    hint: "Leave one of them out.",
  });
}
