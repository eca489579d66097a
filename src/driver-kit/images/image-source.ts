/** What `--NAME-image` of a driver may name. No I/O. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { parseChecksum, type Checksum } from "../../system/http.ts";

/** A disk that a guest starts from. */
export type DiskSource =
  /** Debian's current cloud image. */
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "url"; readonly url: string; readonly checksum: ExpectedChecksum };

export type IsoSource = Extract<ImageSource, { kind: "iso" }>;

export type ImageSource =
  | DiskSource
  /** A boot2docker CD, as 0.16.2 used: a path, or an address, whose checksum 0.16.2 did not ask for. */
  | { readonly kind: "iso"; readonly location: string; readonly checksum: ExpectedChecksum | undefined };

export type ExpectedChecksum = Checksum | { readonly listUrl: string };

export interface ImageRequest {
  /** As the user named it. */
  readonly image: string;
  readonly checksum: string;
  /** `--NAME-boot2docker-url`; it excludes an image of another kind. Absent where the driver has no such flag. */
  readonly isoUrl?: string | undefined;
}

/**
 * Throws `driver-options` for what cannot be an image, and for a URL without a checksum.
 * @param prefix the driver's name: messages name its flags.
 * @param cwd what a relative path is relative to.
 */
export function parseImageSource(
  request: ImageRequest & { readonly isoUrl?: "" | undefined },
  prefix: string,
  cwd: string,
): DiskSource;
export function parseImageSource(request: ImageRequest, prefix: string, cwd: string): ImageSource;
export function parseImageSource(request: ImageRequest, prefix: string, cwd: string): ImageSource {
  const { image, isoUrl = "" } = request;
  if (isoUrl !== "") return isoSource(request, isoUrl, prefix, cwd);
  if (image === "default") return { kind: "default" };
  if (/^https?:\/\//u.test(image)) return { kind: "url", url: image, checksum: checksumOf(request, prefix) };
  if (image === "") throw new MachineError("driver-options", `--${prefix}-image is empty`);
  return { kind: "file", file: path.resolve(cwd, image) };
}

function isoSource(request: ImageRequest, isoUrl: string, prefix: string, cwd: string): ImageSource {
  if (request.image !== "default" && request.image !== "") {
    throw new MachineError(
      "driver-options",
      `--${prefix}-image and --${prefix}-boot2docker-url exclude each other: a machine starts from one of them`,
    );
  }
  const checksum = request.checksum === "" ? undefined : checksumOf(request, prefix);
  if (/^https?:\/\//u.test(isoUrl)) return { kind: "iso", location: isoUrl, checksum };
  return { kind: "iso", location: path.resolve(cwd, isoUrl.replace(/^file:(?:\/\/(?=\/))?/u, "")), checksum };
}

function checksumOf(request: ImageRequest, prefix: string): ExpectedChecksum {
  const text = request.checksum;
  if (/^https?:\/\//u.test(text)) return { listUrl: text };
  const checksum = parseChecksum(text);
  if (checksum !== undefined) return checksum;
  throw new MachineError(
    "driver-options",
    text === ""
      ? `The image ${request.image} needs its checksum`
      : `--${prefix}-image-checksum ${JSON.stringify(text)} is no checksum`,
    {
      hint: `Give --${prefix}-image-checksum sha256:HEX, sha512:HEX, or the https address of the SHA256SUMS beside the image.`,
    },
  );
}
