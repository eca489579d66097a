/**
 * Options of hypervisors on this computer that are the same for all: which image a machine starts from, who logs in, and
 * what else its guest is told at its first boot. Keys are the fields of the record.
 */
import { bool, text, userName, type Option } from "../options.ts";

interface GuestOptions {
  readonly Image: Option<"string">;
  readonly ImageChecksum: Option<"string">;
  readonly ImageRefresh: Option<"bool">;
  readonly CloudConfig: Option<"string">;
}

/** The user that 0.16.2 logs in as on all its hypervisors. */
export const hypervisorUser = "docker";

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
