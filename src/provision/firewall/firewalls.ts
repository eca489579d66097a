import type { FirewallFacts } from "../facts/facts.ts";
import { firewalld } from "./firewalld.ts";
import type { Firewall, FirewallChange, PortNeed } from "./firewall.ts";
import { iptables } from "./iptables.ts";
import { nftables } from "./nftables.ts";
import { ufw } from "./ufw.ts";

/** Managers of rules before the rules themselves: where one rules, its own state is the truth. */
const firewalls: readonly Firewall[] = [firewalld, ufw, nftables, iptables];

/** All changes that open the port. A host with a manager (firewalld, ufw) needs that one alone. */
export function firewallChanges(facts: FirewallFacts, need: PortNeed): readonly FirewallChange[] {
  return firewalls.flatMap((firewall) => {
    const change = firewall.changeFor(facts, need);
    return change === undefined ? [] : [{ ...change, port: need.port }];
  });
}
