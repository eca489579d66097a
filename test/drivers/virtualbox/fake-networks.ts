/** The stand-in's commands on host-only interfaces, host-only networks (macOS) and DHCP servers. */
import { parseArguments } from "./fake-arguments.ts";
import { coded, Refusal, type FakeOptions, type FakeState } from "./fake-state.ts";

export function hostOnlyInterface(state: FakeState, options: FakeOptions, args: readonly string[]): string {
  const [action = "", ...rest] = args;
  const { words, values } = parseArguments(rest, { "--ip": 1, "--netmask": 1 });
  const [name = ""] = words;
  if (action === "create") return createInterface(state, options);
  const found = state.interfaces.find((one) => one.name === name);
  if (found === undefined)
    throw coded(`The host network interface named '${name}' could not be found`, "NS_ERROR_INVALID_ARG", "HostWrap", "IHost");
  if (action === "remove") state.interfaces = state.interfaces.filter((one) => one !== found);
  else if (action === "ipconfig") {
    const address = values.get("--ip") ?? "";
    const isFree = options.os === "windows" || options.allowed.some((range) => address.startsWith(range));
    // No line of details here: the code stands in the first.
    if (!isFree)
      throw new Refusal([
        "Code E_ACCESSDENIED (0x80070005) - Access denied (extended info not available)",
        `Context: "EnableStaticIPConfig(Bstr(pszIp).raw(), Bstr(pszNetmask).raw())" at line 252 of file VBoxManageHostonly.cpp`,
      ]);
    found.address = address;
    found.netmask = values.get("--netmask") ?? "";
  } else throw new Refusal([`Invalid parameter '${action}'`], 2);
  return "";
}

function createInterface(state: FakeState, { os }: FakeOptions): string {
  if (os === "darwin")
    throw coded(
      "Failed to create the host-only adapter",
      "NS_ERROR_FAILURE",
      "HostNetworkInterfaceWrap",
      "IHostNetworkInterface",
    );
  const nameAt = (index: number): string =>
    os === "windows" ? `VirtualBox Host-Only Ethernet Adapter${index === 0 ? "" : ` #${index + 1}`}` : `vboxnet${index}`;
  let index = 0;
  while (state.interfaces.some(({ name }) => name === nameAt(index))) index += 1;
  // What it has before anybody gives it an address.
  state.interfaces.push({ name: nameAt(index), address: "192.168.56.1", netmask: "255.255.255.0" });
  return `Interface '${nameAt(index)}' was successfully created\n`;
}

export function hostOnlyNetwork(state: FakeState, options: FakeOptions, args: readonly string[]): void {
  if (options.os !== "darwin") throw new Refusal(["Invalid command 'hostonlynet'"], 2);
  const [action = "", ...rest] = args;
  const { values } = parseArguments(rest, { "--name": 1, "--netmask": 1, "--lower-ip": 1, "--upper-ip": 1, "--enable": 0 });
  const name = values.get("--name") ?? "";
  const found = state.networks.find((one) => one.name === name);
  if (action === "add") {
    if (found !== undefined)
      throw coded(`Host-only network '${name}' already exists`, "VBOX_E_OBJECT_IN_USE", "VirtualBoxWrap", "IVirtualBox");
    const [netmask = "", lower = "", upper = ""] = ["--netmask", "--lower-ip", "--upper-ip"].map((key) => values.get(key));
    state.networks.push({ name, netmask, lower, upper });
  } else if (action === "remove") {
    if (found === undefined)
      throw coded(`Host-only network '${name}' could not be found`, "VBOX_E_OBJECT_NOT_FOUND", "VirtualBoxWrap", "IVirtualBox");
    state.networks = state.networks.filter((one) => one !== found);
  } else throw new Refusal([`Invalid parameter '${action}'`], 2);
}

export function dhcpServer(state: FakeState, args: readonly string[]): string {
  const [action = "", ...rest] = args;
  const { values } = parseArguments(
    rest,
    {
      "--netname": 1,
      "--ip": 1,
      "--netmask": 1,
      "--lowerip": 1,
      "--upperip": 1,
      "--enable": 0,
      "--disable": 0,
      "--mac-address": 1,
    },
    { "--network": "--netname" },
  );
  const networkName = values.get("--netname") ?? "";
  const found = state.dhcp.find((server) => server.networkName === networkName);
  if (action === "findlease") return findLease(state, networkName, values.get("--mac-address") ?? "");
  if (action === "add" && found !== undefined) throw new Refusal(["DHCP server already exists"], 2);
  if (action !== "add" && found === undefined) throw new Refusal(["DHCP server does not exist"], 2);
  if (action === "remove") {
    state.dhcp = state.dhcp.filter((server) => server !== found);
    return "";
  }
  const [address = "", netmask = "", lower = "", upper = ""] = ["--ip", "--netmask", "--lowerip", "--upperip"].map((key) =>
    values.get(key),
  );
  const server = { networkName, address, netmask, lower, upper, enabled: !values.has("--disable") };
  if (found === undefined) state.dhcp.push(server);
  else Object.assign(found, server);
  return "";
}

function findLease(state: FakeState, networkName: string, mac: string): string {
  if (!state.dhcp.some((server) => server.networkName === networkName))
    throw new Refusal([`Failed to find DHCP server for network '${networkName}'`]);
  const colons = mac.toLowerCase().match(/../gu)?.join(":") ?? "";
  const vm = state.vms.find(({ cards }) => cards[1].mac === mac && `HostInterfaceNetworking-${cards[1].adapter}` === networkName);
  // The file comes with the first lease.
  if (!state.vms.some(({ address }) => address !== "")) {
    const leases = `/root/.config/VirtualBox/${networkName}-Dhcpd.leases`;
    const why = `Runtime error opening '${leases}' for reading VERR_FILE_NOT_FOUND (File not found.)`;
    throw coded(`Reading '${leases}' failed: VERR_FILE_NOT_FOUND - ${why}`, "VBOX_E_FILE_ERROR", "DHCPServerWrap", "IDHCPServer");
  }
  if (vm === undefined || vm.address === "")
    throw coded(`Could not find a lease for ${colons}`, "VBOX_E_OBJECT_NOT_FOUND", "DHCPServerWrap", "IDHCPServer");
  return [
    `IP Address:  ${vm.address}`,
    `MAC Address: ${colons}`,
    "State:       acked",
    "Issued:      2026-11-28T06:21:12Z (1795846872)",
    "Expire:      2026-11-28T06:31:12Z (1795847472)",
    "TTL:         600 sec, currently 600 sec left",
    "",
  ].join("\n");
}
