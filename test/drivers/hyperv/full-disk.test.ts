import { describeFullDisk } from "../full-disk.ts";
import { openScene } from "./scene.ts";

describeFullDisk({
  sizes: [4, 16, 48, 64, 1_024, 2_048, 2_304, 3_072, 4_096, 4_608, 8_192],
  enough: 16_384,
  halfMade: ["disk-source.vhd"],
  open: async (overrides) => await openScene({}, overrides),
  machines: ({ hyperv }) => hyperv.state.vms,
});
