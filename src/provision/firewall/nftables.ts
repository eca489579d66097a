import type { FirewallFacts } from "../facts/facts.ts";
import { joinLines, sh } from "../shell/shell-text.ts";
import { holdsPort, verdictOf, type Firewall, type PortNeed, type Protocol, type Verdict } from "./firewall.ts";

interface Chain {
  /** `inet filter`. */
  readonly table: string;
  readonly name: string;
  /** Hook and policy, if it is a base chain. */
  readonly head: string;
  readonly rules: readonly string[];
}

/** Reads what `nft list ruleset` prints; sets, maps and comments are passed over. */
function parseRuleset(lines: readonly string[]): readonly Chain[] {
  const chains: Chain[] = [];
  let table = "";
  let current: { name: string; head: string; rules: string[] } | undefined;
  for (const line of lines.map((text) => text.trim())) {
    const tableName = /^table (\S+ \S+) \{$/u.exec(line)?.[1];
    const chainName = /^chain (\S+) \{$/u.exec(line)?.[1];
    if (tableName !== undefined) table = tableName;
    else if (chainName !== undefined) current = { name: chainName, head: "", rules: [] };
    else if (current === undefined) continue;
    else if (line === "}") {
      chains.push({ table, ...current });
      current = undefined;
    } else if (line.startsWith("type ")) current.head = line;
    else current.rules.push(line);
  }
  return chains;
}

/** A rule without what matches every new connection to the port. */
function reduced(rule: string, port: number, protocol: Protocol): string {
  return rule
    .replace(/#.*$/u, "")
    .replace(/comment "[^"]*"/u, "")
    .replace(/counter packets \d+ bytes \d+|counter/u, "")
    .replace(/log( prefix "[^"]*")?( level \w+)?( flags \w+)?/u, "")
    .replace(new RegExp(`meta l4proto ${protocol}|ip protocol ${protocol}`, "u"), "")
    .replace(/ct state (\{[^}]*\}|\S+)/u, (text) => (/\bnew\b/u.test(text) ? "" : text))
    .replace(
      new RegExp(`${protocol} dport (?:\\{([^}]*)\\}|(\\S+))`, "u"),
      (text, set: string | undefined, one: string | undefined) => (holdsPort(set ?? one ?? "", port) ? "" : text),
    )
    .trim();
}

function judge(port: number, protocol: Protocol): (rule: string) => Verdict | { readonly jump: string } {
  return (rule) => {
    const rest = reduced(rule, port, protocol);
    if (rest === "accept") return "open";
    if (rest === "drop" || /^reject( with .*)?$/u.test(rest)) return "closed";
    const jump = /^(?:jump|goto) (\S+)$/u.exec(rest)?.[1];
    return jump === undefined ? "undecided" : { jump };
  };
}

function closedChains(facts: FirewallFacts, { port, protocol, ipv6 }: PortNeed): readonly Chain[] {
  const chains = parseRuleset(facts.nftRuleset);
  return chains.filter((chain) => {
    if (!/\bhook input\b/u.test(chain.head) || !chain.head.startsWith("type filter")) return false;
    if (chain.table.startsWith("ip6 ") && !ipv6) return false;
    if (!/^(ip|ip6|inet) /u.test(chain.table)) return false;
    // Chains that iptables manages are left to iptables.
    if (chain.name === "INPUT" && facts.iptablesRules.length > 0) return false;
    const rulesOf = (name: string): readonly string[] =>
      chains.find((other) => other.table === chain.table && other.name === name)?.rules ?? [];
    const verdict = verdictOf(chain.rules, judge(port, protocol), rulesOf);
    return verdict === "closed" || (verdict === "undecided" && /policy drop/u.test(chain.head));
  });
}

/** Native nftables: a drop in any input chain is final, so every chain that blocks gets the rule. */
export const nftables: Firewall = {
  name: "nftables",
  changeFor(facts, need) {
    const { port, protocol } = need;
    const closed = closedChains(facts, need);
    if (closed.length === 0) return undefined;
    const file = facts.persistentFiles.find((path) => path.includes("nftables"));
    const rules = closed.map(
      (chain) => `insert rule ${chain.table} ${chain.name} ${protocol} dport ${port} accept comment "docker-machine"`,
    );
    return {
      firewall: "nftables",
      command: rules.map((rule) => `nft '${rule}'`).join(" && "),
      open: joinLines(
        ...rules.map((rule) => sh`nft ${rule} || return 1`),
        file !== undefined && sh`{ cat ${file}; printf '%s\n' ${rules}; } | put ${file} "$(mode_of ${file})" || return 1`,
      ),
      close: joinLines(...closed.map((chain) => sh`remove_nft_rules ${chain.table} ${chain.name} ${port} ${protocol}`)),
      files: file === undefined ? [] : [file],
      permanent: file !== undefined,
    };
  },
};
