import type { FirewallFacts } from "../facts/facts.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { holdsPort, verdictOf, type Firewall, type PortNeed, type Protocol, type Verdict } from "./firewall.ts";

interface Table {
  readonly tool: "iptables" | "ip6tables";
  readonly rules: readonly string[];
  /** Files in the format of iptables-save that are restored at boot. */
  readonly files: readonly string[];
}

function tablesOf(facts: FirewallFacts, need: PortNeed): readonly Table[] {
  const file = (...names: readonly string[]): readonly string[] => facts.persistentFiles.filter((path) => names.includes(path));
  const four: Table = {
    tool: "iptables",
    rules: facts.iptablesRules,
    files: file("/etc/iptables/rules.v4", "/etc/sysconfig/iptables", "/etc/iptables/rules-save"),
  };
  const six: Table = {
    tool: "ip6tables",
    rules: facts.ip6tablesRules,
    files: file("/etc/iptables/rules.v6", "/etc/sysconfig/ip6tables", "/etc/iptables/rules6-save"),
  };
  return need.ipv6 ? [four, six] : [four];
}

/** Matches that every new connection to the port from anywhere fulfils; with any other, a rule decides nothing. */
function harmless(protocol: Protocol): RegExp {
  return new RegExp(
    String.raw`^(?:-A \S+|-p ${protocol}|-m (?:${protocol}|multiport|comment|conntrack|state)|--dports? [\d:,]+|--comment (?:"[^"]*"|\S+)|--(?:ct)?state \S*NEW\S*|-j \S+|--reject-with \S+)$`,
    "u",
  );
}

function judge(port: number, protocol: Protocol): (rule: string) => Verdict | { readonly jump: string } {
  const matches = harmless(protocol);
  return (rule) => {
    const parts = rule.match(/(?:^|\s)(?:!\s)?--?[\w-]+(?:\s(?:"[^"]*"|[^-\s"][^\s]*))?/gu)?.map((part) => part.trim()) ?? [];
    const ports = /--dports? (\S+)/u.exec(rule)?.[1];
    if (!parts.every((part) => matches.test(part)) || (ports !== undefined && !holdsPort(ports, port))) return "undecided";
    const target = / -j (\S+)/u.exec(rule)?.[1] ?? "";
    if (target === "ACCEPT") return "open";
    if (target === "DROP" || target === "REJECT") return "closed";
    return target === "RETURN" || target === "LOG" || target === "" ? "undecided" : { jump: target };
  };
}

function isClosed(table: Table, { port, protocol }: PortNeed): boolean {
  const chain = (name: string): readonly string[] => table.rules.filter((rule) => rule.startsWith(`-A ${name} `));
  const verdict = verdictOf(chain("INPUT"), judge(port, protocol), chain);
  return verdict === "closed" || (verdict === "undecided" && table.rules.includes("-P INPUT DROP"));
}

function opening(table: Table, { port, protocol }: PortNeed): ShellText {
  return joinLines(
    sh`${table.tool} -I INPUT 1 -p ${protocol} --dport ${port} -j ACCEPT || return 1`,
    ...table.files.map(
      (file) =>
        sh`awk -v rule=${`-A INPUT -p ${protocol} -m ${protocol} --dport ${port} -j ACCEPT`} '/^\*/ { filter = ($0 == "*filter") } filter && !done && /^(-A INPUT|COMMIT)/ { print rule; done = 1 } { print }' ${file} | put ${file} "$(mode_of ${file})" || return 1`,
    ),
  );
}

/** Plain iptables, legacy or on nftables; rules that survive a boot stand in files of the format of iptables-save. */
export const iptables: Firewall = {
  name: "iptables",
  changeFor(facts, need) {
    const { protocol } = need;
    const closed = tablesOf(facts, need).filter((table) => isClosed(table, need));
    if (closed.length === 0) return undefined;
    return {
      firewall: "iptables",
      command: closed.map((table) => `${table.tool} -I INPUT 1 -p ${protocol} --dport ${need.port} -j ACCEPT`).join(" && "),
      open: joinLines(...closed.map((table) => opening(table, need))),
      close: joinLines(...closed.map((table) => sh`${table.tool} -D INPUT -p ${protocol} --dport ${need.port} -j ACCEPT`)),
      files: closed.flatMap((table) => table.files),
      permanent: closed.every((table) => table.files.length > 0),
    };
  },
};
