/** The built-in drivers, one line each, loaded on first use. Imported by the composition roots only. */
import type { DriverModule } from "../driver-kit/driver.ts";

export const builtinDrivers = {
  amazonec2: async () => (await import("./amazonec2/index.ts")).driverModule,
  generic: async () => (await import("./generic/index.ts")).driverModule,
  digitalocean: async () => (await import("./digitalocean/index.ts")).driverModule,
  azure: async () => (await import("./azure/index.ts")).driverModule,
  docker: async () => (await import("./docker/index.ts")).driverModule,
  qemu: async () => (await import("./qemu/index.ts")).driverModule,
  google: async () => (await import("./google/index.ts")).driverModule,
  hyperv: async () => (await import("./hyperv/index.ts")).driverModule,
  openstack: async () => (await import("./openstack/index.ts")).driverModule,
  virtualbox: async () => (await import("./virtualbox/index.ts")).driverModule,
  vmwarefusion: async () => (await import("./vmwarefusion/index.ts")).driverModule,
  vmwarevsphere: async () => (await import("./vmwarevsphere/index.ts")).driverModule,
  shared: async () => (await import("./shared/index.ts")).driverModule,
  none: async () => (await import("./none/index.ts")).driverModule,
} as const satisfies Record<string, () => Promise<DriverModule>>;
