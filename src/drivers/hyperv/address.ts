/**
 * Where a machine is: what its guest tells by the integration services, else what this computer has seen on its network.
 * Debian's images come without the daemon that tells; the neighbour cache knows who has spoken to this computer, and the
 * name server of Windows' own switch who was given an address.
 */
import { isReachable } from "../../driver-kit/guest/guest-address.ts";
import { hostNameOf } from "../../driver-kit/guest/guest-identity.ts";
import { textOf, type Answers, type Fields } from "./powershell.ts";
import { fields } from "./script.ts";
import { defaultSwitchId, requireOwn, type Workplace } from "./workplace.ts";

/** Get-NetNeighbor fails where it finds none. */
const statements = [
  "$vm=Hyper-V\\Get-VM -Id $a.id",
  `$adapters=Hyper-V\\Get-VMNetworkAdapter -VM $vm${fields.adapter}`,
  `$neighbours=NetTCPIP\\Get-NetNeighbor -LinkLayerAddress $a.mac -AddressFamily IPv4 -ErrorAction SilentlyContinue${fields.neighbour}`,
];

/** Windows' own switch has a name server that knows its guests by the names they ask for an address with. */
const lookUpName = `$records=DnsClient\\Resolve-DnsName -Name $a.host -Type A -DnsOnly -QuickTimeout -ErrorAction SilentlyContinue${fields.record}`;

/** The address now; "" while nobody knows one. On the Default Switch it is another after each restart of the computer. */
export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  const vm = await requireOwn(place, signal);
  const known = place.config.MacAddress;
  const mac = known === "" ? await recordedMac(place, vm.id, signal) : known;
  const hasName = place.config.SwitchId === defaultSwitchId;
  const script = {
    statements: hasName ? [...statements, lookUpName] : statements,
    answers: ["adapters", "neighbours", ...(hasName ? ["records"] : [])],
    data: { id: vm.id, mac: dashed(mac), ...(hasName ? { host: `${hostNameOf(place.context.machineName)}.mshome.net` } : {}) },
  };
  const answers = await place.api.run(script, signal);
  const [told] = toldAddresses(answers, mac);
  place.config.IPAddress = told ?? seenAddress(answers) ?? namedAddress(answers) ?? "";
}

/** Machines of 0.16.2 have an address of Hyper-V's choice. */
async function recordedMac({ api }: Workplace, id: string, signal: AbortSignal): Promise<string> {
  const answers = await api.run({ statements: statements.slice(0, 2), answers: ["adapters"], data: { id } }, signal);
  return textOf((answers["adapters"]?.[0] as Fields | undefined)?.["MacAddress"]);
}

function dashed(macAddress: string): string {
  return macAddress.match(/../gu)?.join("-") ?? "";
}

/** Those of the adapter that we made come first; others may have been added. */
function toldAddresses(answers: Answers, mac: string): readonly string[] {
  const adapters = (answers["adapters"] ?? []).map((adapter) => adapter as Fields);
  const isOurs = (adapter: Fields): boolean => textOf(adapter["MacAddress"]).toUpperCase() === mac;
  return [...adapters.filter(isOurs), ...adapters.filter((adapter) => !isOurs(adapter))]
    .flatMap((adapter) => textOf(adapter["IPAddresses"]).split(/\s+/u))
    .filter(isReachable);
}

/** The best first: one that has just answered. An address of yesterday's lease may still be listed. */
const states = ["Reachable", "Delay", "Probe", "Stale", "Permanent"];

function seenAddress(answers: Answers): string | undefined {
  const seen = (answers["neighbours"] ?? [])
    .map((neighbour) => neighbour as Fields)
    .map((neighbour) => ({ address: textOf(neighbour["IPAddress"]), rank: states.indexOf(textOf(neighbour["State"])) }))
    .filter(({ address, rank }) => rank !== -1 && isReachable(address));
  return seen.toSorted((a, b) => a.rank - b.rank)[0]?.address;
}

/** Another machine may bear the name: the pinned host key tells that. */
function namedAddress(answers: Answers): string | undefined {
  return (answers["records"] ?? []).map((record) => textOf((record as Fields)["IPAddress"])).find(isReachable);
}
