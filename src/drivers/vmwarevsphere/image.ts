/** The disk that the machine starts from, on this computer. */
import { provideDiskImage, type DiskImage } from "../../driver-kit/images/disk-image.ts";
import { driverName, imageSource } from "./options.ts";
import type { Workplace } from "./workplace.ts";

/** In the store's cache. Hosts of vSphere are of one architecture, whatever this computer's is. */
export async function provideImage({ config, context }: Workplace, refresh: boolean, signal: AbortSignal): Promise<DiskImage> {
  const source = imageSource(config, context.computer.cwd);
  if (source.kind === "iso") throw new RangeError("a CD is no disk image");
  const wish = { source, arch: "x64", flavour: "genericcloud", refresh, prefix: driverName } as const;
  return await provideDiskImage(context, wish, signal);
}
