/** Other sizes for a VM that is switched off. */
import { requireStopped, requireWholeCpus, type SizeChange } from "../../driver-kit/sizes.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { refOf, type Listed } from "./api/answers.ts";
import { typed } from "./api/wire.ts";
import { childrenOf } from "./api/xml.ts";
import { requireVm, type Vm } from "./instance.ts";
import { sizeFlags, vsphereOptions } from "./options.ts";
import { powerProperties, stateOfVm } from "./power.ts";
import type { Workplace } from "./workplace.ts";

const threads = "summary.hardware.numCpuThreads";
const bytes = "summary.hardware.memorySize";

/** Takes the sizes into the configuration. Throws `driver-options`, `machine-state` where it is not switched off, and vSphere's fault. */
export async function resizeVm(
  place: Workplace,
  { cpus, memoryMiB }: SizeChange,
  signal: AbortSignal,
): Promise<{ readonly fromNextStart: false }> {
  const { api, config, context } = place;
  if (memoryMiB !== undefined) vsphereOptions.require("Memory", memoryMiB);
  if (cpus !== undefined) {
    requireWholeCpus(cpus);
    vsphereOptions.require("CPU", cpus);
  }
  const vm = await requireVm(place, [...powerProperties, "runtime.host"], signal);
  requireStopped(context.machineName, stateOfVm(vm));
  await requireRoom(place, vm, { cpus, memoryMiB }, signal);
  // A number of cores that the new one does not fill would be refused.
  const processors = cpus === undefined ? {} : { numCPUs: cpus, numCoresPerSocket: 1 };
  const spec = typed("VirtualMachineConfigSpec", { ...processors, ...(memoryMiB === undefined ? {} : { memoryMB: memoryMiB }) });
  await api.run("ReconfigVM_Task", vm.ref, { spec }, signal);
  config.CPU = cpus ?? config.CPU;
  config.Memory = memoryMiB ?? config.Memory;
  return { fromNextStart: false };
}

/** vSphere takes any size, and says only at the start that no host has it. */
async function requireRoom(
  place: Workplace,
  vm: Vm,
  { cpus = 0, memoryMiB = 0 }: SizeChange,
  signal: AbortSignal,
): Promise<void> {
  const hosts = await hostsFor(place, vm, signal);
  const most = (property: string): number =>
    Math.max(0, ...hosts.map(({ properties }) => Number(properties.get(property)?.text)));
  const [mostCpus, mostMiB] = [most(threads), Math.floor(most(bytes) / 1024 / 1024)];
  if (mostCpus > 0 && cpus > mostCpus) throw tooLarge(`--${sizeFlags.cpus} ${cpus}`, `${mostCpus} processors`);
  if (mostMiB > 0 && memoryMiB > mostMiB) throw tooLarge(`--${sizeFlags.memoryMiB} ${memoryMiB}`, `${mostMiB} MB`);
}

function tooLarge(what: string, most: string): MachineError {
  return new MachineError("driver-options", `${what} is more than any host has that the VM can run on: ${most}`, {
    hint: "Give less, or move the VM to a larger host first.",
  });
}

/** Those of its cluster; none where they may not be seen. */
async function hostsFor({ api }: Workplace, { properties }: Vm, signal: AbortSignal): Promise<readonly Listed[]> {
  const host = refOf(properties.get("runtime.host"));
  if (host === undefined) return [];
  const cluster = refOf((await api.properties(host, ["parent"], signal))?.get("parent"));
  const members = cluster === undefined ? undefined : (await api.properties(cluster, ["host"], signal))?.get("host");
  const hosts = childrenOf(members, "ManagedObjectReference").flatMap((one) => refOf(one) ?? []);
  return await api.propertiesOfAll(hosts.length === 0 ? [host] : hosts, [threads, bytes], signal);
}
