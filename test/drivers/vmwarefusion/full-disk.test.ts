import { describeFullDisk } from "../full-disk.ts";
import { openScene } from "./scene.ts";

describeFullDisk({
  sizes: [4, 16, 48, 56, 64, 128, 192, 256, 320, 384, 448, 512, 1_024],
  enough: 4_096,
  halfMade: ["web-source.vmdk", "web.vmx"],
  open: async (overrides) => await openScene({}, overrides),
  machines: ({ vmware }) => vmware.running,
});
