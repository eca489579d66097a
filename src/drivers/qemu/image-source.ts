/** What `--qemu-image` may name: whatever the kit can provide, and images that are built here. No I/O. */
import { parseImageSource, type DiskSource } from "../../driver-kit/images/image-source.ts";
import { MachineError } from "../../errors/machine-error.ts";

/** `default` is built here where it cannot be downloaded. */
export type QemuImageSource = DiskSource | { readonly kind: "build"; readonly suite: string };

/** Debian suites that images are built from. The first is the default; older ones lack what the identity needs. */
export const buildSuites = ["trixie", "bookworm", "forky", "sid"] as const;

export interface QemuImageRequest {
  readonly Image: string;
  readonly ImageChecksum: string;
}

/** Throws `driver-options` for what cannot be an image, or a URL without a checksum. */
export function parseQemuImage(request: QemuImageRequest, cwd: string): QemuImageSource {
  const { Image: image, ImageChecksum: checksum } = request;
  if (image === "build" || image.startsWith("build:")) return { kind: "build", suite: suiteOf(image) };
  return parseImageSource({ image, checksum }, "qemu", cwd);
}

function suiteOf(image: string): string {
  const suite = image === "build" ? buildSuites[0] : image.slice("build:".length);
  if ((buildSuites as readonly string[]).includes(suite)) return suite;
  throw new MachineError("driver-options", `--qemu-image ${image}: images are built from ${buildSuites.join(", ")}`);
}
