/**
 * Firewalls on the host that keep clients from the engine's port. Each recognises itself in the facts and tells the
 * one change that opens the port for good. Pure; a firewall in front of the host is none of these.
 */
import type { FirewallFacts } from "../facts/facts.ts";
import { sh, type ShellText } from "../shell/shell-text.ts";

export interface FirewallChange {
  /** Key of the registry. */
  readonly firewall: string;
  readonly port: number;
  /** What a person would type; also what happens. */
  readonly command: string;
  /** Opens the port now and at every later start: the body of a shell function, after the changing functions. */
  readonly open: ShellText;
  /** Takes it back: commands on their own, with `remove_nft_rules` of {@link closingFunctions}. */
  readonly close: ShellText;
  /** Files that {@link open} changes. */
  readonly files: readonly string[];
  /** False where nothing is known that would restore the rule at boot. */
  readonly permanent: boolean;
}

export type Protocol = "tcp" | "udp";

export interface PortNeed {
  readonly port: number;
  readonly protocol: Protocol;
  readonly ipv6: boolean;
}

export interface Firewall {
  readonly name: string;
  /** What to do so that the port is reachable; undefined = this firewall is not there or lets it through. */
  changeFor(facts: FirewallFacts, need: PortNeed): Omit<FirewallChange, "port"> | undefined;
}

export type Verdict = "open" | "closed" | "undecided";

/** The verdict of a chain of rules on a new connection to the port, from anyone; a jump looks into another chain. */
export function verdictOf(
  rules: readonly string[],
  judge: (rule: string) => Verdict | { readonly jump: string },
  chain: (name: string) => readonly string[],
  depth = 0,
): Verdict {
  if (depth > 8) return "undecided";
  for (const rule of rules) {
    const judged = judge(rule);
    const verdict = typeof judged === "object" ? verdictOf(chain(judged.jump), judge, chain, depth + 1) : judged;
    if (verdict !== "undecided") return verdict;
  }
  return "undecided";
}

/** True when `ports` (`2376`, `22,2376`, `2000:3000`, `2000-3000`) holds the port. */
export function holdsPort(ports: string, port: number): boolean {
  return ports.split(",").some((part) => {
    const [from = "", to = from] = part.trim().split(/[:-]/u);
    return Number(from) <= port && port <= Number(to);
  });
}

/** What {@link FirewallChange.close} may call. */
export const closingFunctions = sh`
remove_nft_rules() {
  nft -a list chain $1 "$2" 2> /dev/null | sed -n "s/.*\${4:-tcp} dport $3 .*comment \"docker-machine\".* # handle \([0-9]*\)$/\1/p" |
    while read -r handle; do nft delete rule $1 "$2" handle "$handle"; done
}
`;
