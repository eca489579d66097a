/** Systems beyond Debian behind a firewall: the port is opened for good while the engine is installed, and closed again. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import type { SystemName } from "../lab/systems/systems.ts";
import { dial } from "../support/dial.ts";
import { dockerEnvironment, runContainer } from "./docker-client.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable =
  process.env["DOCKER_MACHINE_ALL_SYSTEMS"] === "1"
    ? await labUnavailableReason()
    : "DOCKER_MACHINE_ALL_SYSTEMS=1 runs it (npm run lab:families)";

interface FirewalledSystem {
  readonly system: SystemName;
  readonly image: string;
  readonly firewall: "firewalld" | "nftables";
  /** What a client meets while the port is closed. */
  readonly closed: string;
  /** Shell that loads the rules of the next boot; returns when they hold. */
  readonly reload: string;
}

const firewalledSystems: readonly FirewalledSystem[] = [
  {
    system: "rocky-9",
    image: "dnf-firewalld",
    firewall: "firewalld",
    closed: "EHOSTUNREACH",
    // It has its name on the bus before it has its rules.
    reload: "systemctl restart firewalld.service && firewall-cmd -q --state",
  },
  {
    system: "leap-15.6",
    image: "zypper-nftables",
    firewall: "nftables",
    closed: "silent",
    // All rules go with a ruleset that is loaded anew, an engine's too, if there is one yet.
    reload:
      "systemctl restart nftables.service && { ! systemctl is-active -q docker.service || systemctl restart docker.service; }",
  },
];

describe("systems beyond Debian behind a firewall", { skip: unavailable ?? false, concurrency: 2 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  for (const { system, image, firewall, closed, reload } of firewalledSystems) {
    test(`${firewall} on ${system}: opened for good, closed again`, async () => {
      await using repositories = await lab.serveSystemRepositories(system);
      await using host = await lab.start(system, { image, prepare: repositories.sources });
      await using program = await Program.open();
      await host.sh(reload);
      assert.equal(await dial(host.address, 2376), closed);

      const mirror = ["--engine-package-mirror", repositories.url, "--engine-package-key", repositories.keyFingerprint];
      const created = await program.ok(createArguments(host, "web", ...mirror));
      assert.match(created, new RegExp(`^Opening port 2376 in ${firewall}\\.\\.\\.$`, "mu"));
      await runContainer(await dockerEnvironment(program), host);
      await host.sh(reload);
      await program.ok(["env", "web"]);
      assert.doesNotMatch(await program.ok(["provision", "web"]), /^Opening port/mu);

      await program.ok(["rm", "-y", "--restore", "web"]);
      assert.equal(await dial(host.address, 2376), closed);
      await host.sh(reload);
      assert.equal(await dial(host.address, 2376), closed);
      assert.equal(
        await host.sh("grep -rl 2376 /etc/nftables.conf /etc/firewalld/zones 2> /dev/null | grep -v '\\.old$' || true"),
        "",
      );
    });
  }
});
