/** What `--qemu-image` may name. No I/O. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { parseChecksum, type Checksum } from "../../system/http.ts";

export type ImageSource =
  /** A current cloud image where it can be downloaded, else built here. */
  | { readonly kind: "default" }
  | { readonly kind: "build"; readonly suite: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "url"; readonly url: string; readonly checksum: Checksum | { readonly listUrl: string } };

/** Debian suites that images are built from. The first is the default; older ones lack what the identity needs. */
export const buildSuites = ["trixie", "bookworm", "forky", "sid"] as const;

export interface ImageRequest {
  readonly Image: string;
  readonly ImageChecksum: string;
}

/** Throws `driver-options` for what cannot be an image, or a URL without a checksum. */
export function parseImageSource(request: ImageRequest, cwd: string): ImageSource {
  const { Image: image } = request;
  if (image === "default") return { kind: "default" };
  if (image === "build" || image.startsWith("build:")) return { kind: "build", suite: suiteOf(image) };
  if (/^https?:\/\//u.test(image)) return { kind: "url", url: image, checksum: checksumOf(request) };
  if (image === "") throw new MachineError("driver-options", "--qemu-image is empty");
  return { kind: "file", file: path.resolve(cwd, image) };
}

function suiteOf(image: string): string {
  const suite = image === "build" ? buildSuites[0] : image.slice("build:".length);
  if ((buildSuites as readonly string[]).includes(suite)) return suite;
  throw new MachineError("driver-options", `--qemu-image ${image}: images are built from ${buildSuites.join(", ")}`);
}

function checksumOf(request: ImageRequest): Checksum | { readonly listUrl: string } {
  const text = request.ImageChecksum;
  if (/^https?:\/\//u.test(text)) return { listUrl: text };
  const checksum = parseChecksum(text);
  if (checksum !== undefined) return checksum;
  throw new MachineError(
    "driver-options",
    text === ""
      ? `The image ${request.Image} needs its checksum`
      : `--qemu-image-checksum ${JSON.stringify(text)} is no checksum`,
    { hint: "Give --qemu-image-checksum sha256:HEX, sha512:HEX, or the https address of the SHA256SUMS beside the image." },
  );
}
