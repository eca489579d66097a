/** What the stand-in tells of machines, media and networks, in the product's form. */
import { allMedia } from "./fake-media.ts";
import { isAccessible, Refusal, type FakeOptions, type FakeState, type FakeVm } from "./fake-state.ts";
import * as path from "node:path";

export function list(state: FakeState, options: FakeOptions, args: readonly string[]): string {
  const what = args.find((arg) => !arg.startsWith("--")) ?? "";
  switch (what) {
    case "vms":
      return state.vms.map((vm) => (args.includes("--long") ? longVm(options, vm) : shortVm(options, vm))).join("");
    case "runningvms":
      return state.vms
        .filter((vm) => vm.state === "running")
        .map((vm) => shortVm(options, vm))
        .join("");
    case "hostonlyifs":
      return state.interfaces.map(interfaceBlock).join("");
    case "hostonlynets":
      if (options.os !== "darwin") throw new Refusal([`Unknown subcommand "hostonlynets".`], 2);
      return state.networks.map(networkBlock).join("");
    case "dhcpservers":
      return state.dhcp.map((server) => dhcpBlock(options, server)).join("");
    case "hdds":
      return mediaOf(state, "hdd");
    case "dvds":
      return mediaOf(state, "dvddrive");
    case "hostinfo":
      return hostInfo(options);
    default:
      throw new Refusal([`Unknown subcommand "${what}".`], 2);
  }
}

function shortVm(options: FakeOptions, vm: FakeVm): string {
  return `"${isAccessible(options, vm) ? vm.name : "<inaccessible>"}" {${vm.uuid}}\n`;
}

function longVm(options: FakeOptions, vm: FakeVm): string {
  if (!isAccessible(options, vm)) return `Name:            <inaccessible!>\nUUID:            ${vm.uuid}\n\n`;
  const cards = vm.cards.map(({ kind, adapter, mac }, index) => {
    const words = {
      nat: "NAT",
      hostonly: `Host-only Interface '${adapter}'`,
      hostonlynet: `Host Only Network '${adapter}'`,
      none: "",
    }[kind];
    return kind === "none"
      ? `NIC ${index + 1}:                       disabled\n`
      : `NIC ${index + 1}:                       MAC: ${mac}, Attachment: ${words}, Cable connected: on\n`;
  });
  return `Name:                        ${vm.name}\nUUID:                        ${vm.uuid}\n${cards.join("")}\n`;
}

function block(lines: readonly (readonly [string, string])[], width = 17): string {
  return `${lines.map(([key, value]) => `${`${key}:`.padEnd(width)}${value}`).join("\n")}\n`;
}

function interfaceBlock({ name, address, netmask }: FakeState["interfaces"][number]): string {
  return `${block([
    ["Name", name],
    ["GUID", "786f6276-656e-4074-8000-0a0027000000"],
    ["DHCP", "Disabled"],
    ["IPAddress", address],
    ["NetworkMask", netmask],
    ["IPV6Address", ""],
    ["IPV6NetworkMaskPrefixLength", "0"],
    ["HardwareAddress", "0a:00:27:00:00:00"],
    ["MediumType", "Ethernet"],
    ["Wireless", "No"],
    ["Status", "Up"],
    ["VBoxNetworkName", `HostInterfaceNetworking-${name}`],
  ])}\n`;
}

function networkBlock({ name, netmask, lower, upper }: FakeState["networks"][number]): string {
  const head = block([
    ["Name", name],
    ["GUID", "11111111-2222-4333-8444-555555555555"],
  ]);
  const rest = block([
    ["State", "Enabled"],
    ["NetworkMask", netmask],
    ["LowerIP", lower],
    ["UpperIP", upper],
    ["VBoxNetworkName", `hostonly-${name}`],
  ]);
  return `${head}\n${rest}\n`;
}

/** In other words before 7. */
function dhcpBlock({ version }: FakeOptions, server: FakeState["dhcp"][number]): string {
  const isOld = Number(version.split(".")[0]) < 7;
  const lines = block(
    [
      ["NetworkName", server.networkName],
      [isOld ? "IP" : "Dhcpd IP", server.address],
      ...(isOld ? ([["NetworkMask", server.netmask]] as const) : []),
      [isOld ? "lowerIPAddress" : "LowerIPAddress", server.lower],
      [isOld ? "upperIPAddress" : "UpperIPAddress", server.upper],
      ...(isOld ? [] : ([["NetworkMask", server.netmask]] as const)),
      ["Enabled", server.enabled ? "Yes" : "No"],
    ],
    16,
  );
  if (isOld) return `${lines}\n`;
  const settings = ["minLeaseTime:     default", "defaultLeaseTime: default", "maxLeaseTime:     default"];
  const options = ["Forced options:   None", "Suppressed opts.: None", `    1/legacy: ${server.netmask}`];
  const indented = [...settings, ...options].map((line) => `    ${line}\n`).join("");
  return `${lines}Global Configuration:\n${indented}Groups:               None\nIndividual Configs:   None\n`;
}

function mediaOf(state: FakeState, kind: "hdd" | "dvddrive"): string {
  return allMedia(state)
    .filter((medium) => medium.kind === kind)
    .map(({ uuid, file, sizeMiB }) => {
      const isDisk = kind === "hdd";
      return `${block(
        [
          ["UUID", uuid],
          ...(isDisk ? ([["Parent UUID", "base"]] as const) : []),
          ["State", "created"],
          ["Type", isDisk ? "normal (base)" : "readonly"],
          ["Location", file],
          ["Storage format", isDisk ? path.extname(file).slice(1).toUpperCase() : "RAW"],
          ["Capacity", `${sizeMiB} MBytes`],
          ["Encryption", "disabled"],
        ],
        16,
      )}\n`;
    })
    .join("");
}

function hostInfo({ virtualizes }: FakeOptions): string {
  return [
    "Host Information:",
    "",
    "Host time: 2026-11-28T00:29:38.578000000Z",
    "Processor online count: 2",
    "Processor count: 2",
    `Processor supports HW virtualization: ${virtualizes ? "yes" : "no"}`,
    "Memory size: 24105 MByte",
    "",
  ].join("\n");
}

/** A part of `showvminfo --machinereadable`, in the product's order; what is left out the stand-in does not know. */
export function machineReadable(vm: FakeVm): string {
  const folder = path.dirname(vm.settingsFile);
  const text = (key: string, value: string): string => `${key}="${value.replaceAll(/["\\]/gu, "\\$&")}"`;
  const of = (key: string, fallback: string): string => text(key, vm.settings[key] ?? fallback);
  const number = (key: string): string => `${key}=${vm.settings[key] ?? ""}`;
  return `${[
    text("name", vm.name),
    text("platformArchitecture", vm.arch),
    text("ostype", vm.osType),
    text("UUID", vm.uuid),
    text("CfgFile", vm.settingsFile),
    text("SnapFldr", path.join(folder, "Snapshots")),
    text("LogFldr", path.join(folder, "Logs")),
    text("hardwareuuid", vm.uuid),
    number("memory"),
    of("chipset", "piix3"),
    of("firmware", "BIOS"),
    number("cpus"),
    of("boot1", "floppy"),
    text("VMState", vm.state),
    ...vm.controllers.flatMap((controller, index) => controllerLines(controller, index)),
    ...vm.cards.flatMap((card, index) => cardLines(card, index + 1)),
    ...(vm.settings["uart1"] === undefined
      ? []
      : [text("uart1", vm.settings["uart1"].toLowerCase().replace("0x3f8", "0x03f8").replace(" ", ","))]),
    ...(vm.settings["uartmode1"] === undefined ? [] : [text("uartmode1", vm.settings["uartmode1"])]),
    ...vm.shares.flatMap(({ name, hostPath }, index) => [
      text(`SharedFolderNameMachineMapping${index + 1}`, name),
      text(`SharedFolderPathMachineMapping${index + 1}`, hostPath),
    ]),
    " rec_screen0",
    ...(vm.description === "" ? [] : [text("description", vm.description)]),
  ].join("\n")}\n`;
}

function controllerLines({ name, portCount, ports }: FakeVm["controllers"][number], index: number): readonly string[] {
  const at = (port: number): readonly string[] => {
    const found = ports.find((one) => one.port === port);
    if (found === undefined) return [`"${name}-${port}-0"="none"`];
    const onOff = (value: boolean): string => (value ? "on" : "off");
    return [
      `"${name}-${port}-0"="${found.medium}"`,
      `"${name}-ImageUUID-${port}-0"="${found.uuid}"`,
      `"${name}-nonrotational-${port}-0"="${onOff(found.nonrotational)}"`,
      `"${name}-discard-${port}-0"="${onOff(found.discard)}"`,
    ];
  };
  return [
    `storagecontrollername${index}="${name}"`,
    `storagecontrollerportcount${index}="${portCount}"`,
    ...Array.from({ length: portCount }, (_, port) => at(port)).flat(),
  ];
}

function cardLines({ kind, adapter, mac, type, forwards }: FakeVm["cards"][number], number: number): readonly string[] {
  if (kind === "none") return [`nic${number}="none"`];
  const place = {
    nat: "",
    hostonly: `hostonlyadapter${number}="${adapter}"`,
    hostonlynet: `hostonly-network${number}="${adapter}"`,
  }[kind];
  return [
    ...(place === "" ? [] : [place]),
    `macaddress${number}="${mac}"`,
    `cableconnected${number}="on"`,
    `nic${number}="${kind === "hostonlynet" ? "hostonlynetwork" : kind}"`,
    `nictype${number}="${type}"`,
    ...forwards.map(
      ({ name, hostPort, guestPort }, index) => `Forwarding(${index})="${name},tcp,127.0.0.1,${hostPort},,${guestPort}"`,
    ),
  ];
}
