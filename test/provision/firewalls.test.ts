/** Firewalls that really block: the port is opened for good, or the command that would do it is named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { provisionHost, restoreHost } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { siteRuleset } from "../lab/site-ruleset.ts";
import type { VariantName } from "../lab/variants.ts";
import { openLabMachine } from "./lab-machine.ts";

const skip = (await labUnavailableReason()) ?? false;

interface FirewallCase {
  readonly variant: VariantName;
  readonly command: string;
  /** Shell that sets the firewall up, where the variant has none. */
  readonly setUp?: string;
  /** Shell that does to the rules what a reboot does. */
  readonly reboot: string;
}

const cases: Readonly<Record<string, FirewallCase>> = {
  firewalld: {
    variant: "firewalld",
    command: "firewall-cmd --permanent --zone=public --add-port=2376/tcp",
    reboot: "systemctl restart firewalld",
  },
  ufw: { variant: "ufw", command: "ufw allow 2376/tcp", reboot: "ufw disable > /dev/null; ufw --force enable > /dev/null" },
  iptables: {
    variant: "bookworm-engine",
    command: "iptables -I INPUT 1 -p tcp --dport 2376 -j ACCEPT",
    setUp: `
      mkdir -p /etc/iptables
      iptables -A INPUT -i lo -j ACCEPT
      iptables -A INPUT -p tcp -m state --state RELATED,ESTABLISHED -j ACCEPT
      iptables -A INPUT -p tcp --dport 22 -j ACCEPT
      iptables -A INPUT -j REJECT
      iptables-save -t filter > /etc/iptables/rules.v4`,
    reboot: "iptables -F INPUT; iptables-restore -T filter < /etc/iptables/rules.v4",
  },
  nftables: {
    variant: "bookworm-engine",
    command: `nft 'insert rule inet site incoming tcp dport 2376 accept comment "docker-machine"'`,
    setUp: `
      apt-get -qq update
      apt-get -qq install -y --no-install-recommends nftables > /dev/null
      cat > /etc/nftables.conf << 'END'
${siteRuleset}END
      systemctl enable --now nftables`,
    reboot: "systemctl restart nftables; systemctl restart docker",
  },
};

for (const [name, { variant, command, setUp, reboot }] of Object.entries(cases)) {
  test(`${name}: checked, opened for good, closed again`, { skip }, async () => {
    await using lab = await openLab();
    await using host = await lab.start(variant);
    if (setUp !== undefined) await host.sh(setUp);
    await using machine = await openLabMachine(host);
    await assert.rejects(
      provisionHost(machine.request({ engine: { firewall: "check" } }), machine.context),
      (error) =>
        isMachineError(error, "firewall-closed") &&
        error.message.startsWith(name) &&
        (error.hint ?? "").includes(`sudo ${command}`),
    );
    assert.equal(await host.sh("ls /etc/docker/*.pem 2> /dev/null || true"), "", "checking changes nothing");

    await provisionHost(machine.request(), machine.context);
    assert.deepEqual(
      machine.events.filter((event) => event.type === "opening-firewall"),
      [{ type: "opening-firewall", firewall: name, port: 2376 }],
    );
    assert.equal(await machine.ask("/_ping"), "OK");
    await host.sh(reboot);
    assert.equal(await machine.ask("/_ping"), "OK", "after the rules were loaded anew");
    assert.deepEqual((await provisionHost(machine.request(), machine.context)).plan.firewall, []);

    await restoreHost(machine.request(), machine.context);
    assert.equal(
      await host.sh(
        "grep -r 2376 /etc/iptables /etc/nftables.conf /etc/ufw/user.rules /etc/firewalld/zones 2> /dev/null | grep -v '\\.old:' || true",
      ),
      "",
    );
    assert.equal(await host.sh("{ nft list ruleset 2> /dev/null || iptables -S INPUT; } | grep 2376 || true"), "");
  });
}
