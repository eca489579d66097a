import assert from "node:assert/strict";
import { test } from "node:test";
import type { FirewallFacts } from "../facts/facts.ts";
import { firewallChanges } from "./firewalls.ts";

const quiet: FirewallFacts = { iptablesRules: [], ip6tablesRules: [], nftRuleset: [], persistentFiles: [] };

function permanence(facts: FirewallFacts): boolean | undefined {
  return firewallChanges(facts, { port: 2376, ipv6: false })[0]?.permanent;
}

function commands(facts: Partial<FirewallFacts>, ipv6 = false): readonly string[] {
  return firewallChanges({ ...quiet, ...facts }, { port: 2376, ipv6 }).map((change) => change.command);
}

test("no firewall, no change", () => {
  assert.deepEqual(commands({}), []);
});

test("firewalld opens the port in the zone of the connection, now and for good", () => {
  assert.deepEqual(commands({ firewalld: { zone: "public", portOpen: false } }), [
    "firewall-cmd --permanent --zone=public --add-port=2376/tcp && firewall-cmd --zone=public --add-port=2376/tcp",
  ]);
  assert.deepEqual(commands({ firewalld: { zone: "public", portOpen: true } }), []);
});

const ufwHead = [
  "Status: active",
  "Logging: on (low)",
  "Default: deny (incoming), allow (outgoing), disabled (routed)",
  "New profiles: skip",
  "",
  "To                         Action      From",
  "--                         ------      ----",
];
const ufwCases: readonly (readonly [string, readonly string[], boolean])[] = [
  ["only ssh is allowed", [...ufwHead, "22/tcp                     ALLOW IN    Anywhere"], true],
  ["the port is allowed", [...ufwHead, "2376/tcp                   ALLOW IN    Anywhere"], false],
  ["a range holds the port", [...ufwHead, "2000:3000/tcp              ALLOW IN    Anywhere"], false],
  ["only one network is allowed", [...ufwHead, "2376/tcp                   ALLOW IN    10.0.0.0/8"], true],
  ["only IPv6 is allowed", [...ufwHead, "2376/tcp                   ALLOW IN    Anywhere (v6)"], true],
  ["it is inactive", ["Status: inactive"], false],
  ["all is allowed", ["Status: active", "Default: allow (incoming), allow (outgoing)"], false],
];
for (const [name, ufwStatus, closed] of ufwCases) {
  test(`ufw, ${name}: the port is ${closed ? "closed" : "open"}`, () => {
    assert.deepEqual(commands({ ufwStatus }), closed ? ["ufw allow 2376/tcp"] : []);
  });
}

test("ufw with a rule that denies the port gets ours in front of it", () => {
  const [change] = firewallChanges(
    { ...quiet, ufwStatus: [...ufwHead, "2376/tcp                   DENY IN     Anywhere"] },
    { port: 2376, ipv6: false },
  );
  assert.equal(change?.open.text, "ufw insert 1 allow 2376/tcp");
});

const iptablesCases: readonly (readonly [string, readonly string[], boolean])[] = [
  ["the policy accepts", ["-P INPUT ACCEPT"], false],
  ["the policy drops", ["-P INPUT DROP", "-A INPUT -i lo -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"], true],
  [
    "Red Hat's last rule rejects",
    [
      "-P INPUT ACCEPT",
      "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT",
      "-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT",
      "-A INPUT -j REJECT --reject-with icmp-host-prohibited",
    ],
    true,
  ],
  [
    "the port is accepted before",
    ["-P INPUT DROP", '-A INPUT -p tcp -m tcp --dport 2376 -m comment --comment "the engine" -j ACCEPT'],
    false,
  ],
  ["a list of ports holds it", ["-P INPUT DROP", "-A INPUT -p tcp -m multiport --dports 22,2375:2377 -j ACCEPT"], false],
  ["only one source is accepted", ["-P INPUT DROP", "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 2376 -j ACCEPT"], true],
  ["another protocol is rejected", ["-P INPUT ACCEPT", "-A INPUT -p udp -j DROP"], false],
  ["invalid packets are dropped", ["-P INPUT ACCEPT", "-A INPUT -m conntrack --ctstate INVALID -j DROP"], false],
  [
    "a chain of its own rejects",
    ["-P INPUT ACCEPT", "-N SITE", "-A INPUT -j SITE", "-A SITE -p tcp -m tcp --dport 22 -j ACCEPT", "-A SITE -j DROP"],
    true,
  ],
  [
    "a chain of its own accepts",
    ["-P INPUT DROP", "-N SITE", "-A INPUT -j SITE", "-A SITE -p tcp -m tcp --dport 2376 -j ACCEPT"],
    false,
  ],
  [
    "everything but one source is dropped",
    ["-P INPUT ACCEPT", "-A INPUT ! -s 10.0.0.1/32 -p tcp -m tcp --dport 2376 -j DROP"],
    false,
  ],
  ["chains call each other for ever", ["-P INPUT ACCEPT", "-N A", "-A INPUT -j A", "-A A -j INPUT"], false],
];
for (const [name, iptablesRules, closed] of iptablesCases) {
  test(`iptables, ${name}: the port is ${closed ? "closed" : "open"}`, () => {
    assert.deepEqual(commands({ iptablesRules }), closed ? ["iptables -I INPUT 1 -p tcp --dport 2376 -j ACCEPT"] : []);
  });
}

test("iptables is asked for IPv6 only where the machine has such an address", () => {
  const facts = { iptablesRules: ["-P INPUT ACCEPT"], ip6tablesRules: ["-P INPUT DROP"] };
  assert.deepEqual(commands(facts), []);
  assert.deepEqual(commands(facts, true), ["ip6tables -I INPUT 1 -p tcp --dport 2376 -j ACCEPT"]);
});

test("without a file that restores the rules the change is not for good, and says so", () => {
  const closed = { ...quiet, iptablesRules: ["-P INPUT DROP"] };
  assert.equal(permanence(closed), false);
  assert.equal(permanence({ ...closed, persistentFiles: ["/etc/iptables/rules.v4"] }), true);
});

const nft = (body: string): readonly string[] => body.trim().split("\n");
const nftCases: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "no chain has the input hook",
    "table inet filter {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}",
    [],
  ],
  [
    "the policy accepts",
    "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy accept;\n\t\tct state invalid drop\n\t}\n}",
    [],
  ],
  [
    "the policy drops",
    'table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tiif "lo" accept\n\t\tct state established,related accept\n\t\ttcp dport 22 accept\n\t}\n}',
    ["inet filter input"],
  ],
  [
    "the last rule rejects",
    "table inet filter {\n\tset s {\n\t\ttype ipv4_addr\n\t}\n\tchain in_all {\n\t\ttype filter hook input priority 0; policy accept;\n\t\ttcp dport { 22, 80 } accept\n\t\tcounter packets 7 bytes 420 reject with icmpx admin-prohibited\n\t}\n}",
    ["inet filter in_all"],
  ],
  [
    "a set of ports holds it",
    "table ip t {\n\tchain i {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state new tcp dport { 22, 2000-3000 } counter packets 0 bytes 0 accept\n\t}\n}",
    [],
  ],
  [
    "another chain decides",
    "table ip t {\n\tchain site {\n\t\ttcp dport 2376 accept\n\t}\n\tchain i {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tjump site\n\t}\n}",
    [],
  ],
  [
    "one of two chains drops",
    "table ip a {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n\t\ttcp dport 2376 accept\n\t}\n}\ntable inet b {\n\tchain i {\n\t\ttype filter hook input priority 10; policy drop;\n\t}\n}",
    ["inet b i"],
  ],
  ["only IPv6 is dropped", "table ip6 a {\n\tchain i {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}", []],
];
for (const [name, ruleset, chains] of nftCases) {
  test(`nftables, ${name}: ${chains.length === 0 ? "open" : `closed in ${chains.join()}`}`, () => {
    const expected = chains.map((chain) => `nft 'insert rule ${chain} tcp dport 2376 accept comment "docker-machine"'`);
    assert.deepEqual(commands({ nftRuleset: nft(ruleset) }), expected);
  });
}

test("chains that iptables manages in nftables are opened by iptables", () => {
  const facts = {
    nftRuleset: nft("table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}"),
    iptablesRules: ["-P INPUT DROP"],
  };
  assert.deepEqual(commands(facts), ["iptables -I INPUT 1 -p tcp --dport 2376 -j ACCEPT"]);
});

test("ports of other protocols are judged by rules about those", () => {
  const udp = (facts: Partial<FirewallFacts>): readonly string[] =>
    firewallChanges({ ...quiet, ...facts }, { port: 4789, protocol: "udp", ipv6: false }).map((change) => change.command);
  const accepting = "-A INPUT -p udp -m udp --dport 4789 -j ACCEPT";
  assert.deepEqual(udp({ iptablesRules: ["-P INPUT DROP", accepting] }), []);
  assert.deepEqual(udp({ iptablesRules: ["-P INPUT DROP", accepting.replaceAll("udp", "tcp")] }), [
    "iptables -I INPUT 1 -p udp --dport 4789 -j ACCEPT",
  ]);
  assert.deepEqual(udp({ ufwStatus: [...ufwHead, "4789/udp                   ALLOW IN    Anywhere"] }), []);
  assert.deepEqual(udp({ ufwStatus: [...ufwHead, "4789/tcp                   ALLOW IN    Anywhere"] }), ["ufw allow 4789/udp"]);
  const zone = { zone: "public", portOpen: true, port: 2376 };
  assert.deepEqual(udp({ firewalld: { ...zone, ports: ["22/tcp", "4000-5000/udp"] } }), []);
  assert.deepEqual(udp({ firewalld: { ...zone, ports: ["4789/tcp"] } }), [
    "firewall-cmd --permanent --zone=public --add-port=4789/udp && firewall-cmd --zone=public --add-port=4789/udp",
  ]);
  const chain = (rule: string): readonly string[] =>
    nft(`table inet filter {\n\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n\t\t${rule}\n\t}\n}`);
  assert.deepEqual(udp({ nftRuleset: chain("udp dport 4789 accept") }), []);
  assert.deepEqual(udp({ nftRuleset: chain("tcp dport 4789 accept") }), [
    `nft 'insert rule inet filter input udp dport 4789 accept comment "docker-machine"'`,
  ]);
});
