import type { FirewallFacts } from "../facts/facts.ts";
import { firewalld } from "./firewalld.ts";
import type { Firewall, FirewallChange, PortNeed } from "./firewall.ts";
import { iptables } from "./iptables.ts";
import { nftables } from "./nftables.ts";
import { ufw } from "./ufw.ts";

/** Managers of rules before the rules themselves: where one rules, its own state is the truth. */
const firewalls: readonly Firewall[] = [firewalld, ufw, nftables, iptables];

/** A port of TCP unless it says otherwise. */
export type AskedPort = Omit<PortNeed, "protocol"> & Partial<Pick<PortNeed, "protocol">>;

/** All changes that open the port. A host with a manager (firewalld, ufw) needs that one alone. */
export function firewallChanges(facts: FirewallFacts, { port, protocol = "tcp", ipv6 }: AskedPort): readonly FirewallChange[] {
  return firewalls.flatMap((firewall) => {
    const change = firewall.changeFor(facts, { port, protocol, ipv6 });
    return change === undefined ? [] : [{ ...change, port }];
  });
}
