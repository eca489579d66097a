/** Firewalls on the host: left alone when asked to, with the command that opens the port; else opened for good, and said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { assertFails } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";
import { dial } from "../support/dial.ts";

const unavailable = await labUnavailableReason();

interface FirewallCase {
  readonly name: "firewalld" | "ufw";
  /** What a client meets while the port is closed. */
  readonly closed: string;
  readonly command: string;
  /** Closes the port again, on the host. */
  readonly close: string;
  /** Reloads the firewall from what is kept for the next boot. */
  readonly reload: string;
}

const firewalls: readonly FirewallCase[] = [
  {
    name: "firewalld",
    closed: "EHOSTUNREACH",
    command:
      "sudo firewall-cmd --permanent --zone=public --add-port=2376/tcp && sudo firewall-cmd --zone=public --add-port=2376/tcp",
    close: "firewall-cmd -q --permanent --zone=public --remove-port=2376/tcp && firewall-cmd -q --reload",
    reload: "firewall-cmd -q --reload",
  },
  {
    name: "ufw",
    closed: "silent",
    command: "sudo ufw allow 2376/tcp",
    close: "ufw delete allow 2376/tcp",
    reload: "ufw disable && ufw --force enable",
  },
];

for (const firewall of firewalls) {
  test(firewall.name, { skip: unavailable ?? false }, async () => {
    await using lab = await openLab();
    await using host = await lab.start(firewall.name);
    await using program = await Program.open();
    await leavesItAloneWhenAskedTo(firewall, program, host);
    await opensItForGood(firewall, program, host);
  });
}

/** The command in the hint, typed as it stands there, is all that is missing. */
async function leavesItAloneWhenAskedTo({ name, closed, command }: FirewallCase, program: Program, host: LabHost): Promise<void> {
  const { hint } = await assertFails(program, createArguments(host, "web", "--engine-firewall", "check"), {
    sentence: new RegExp(`^${name} on web keeps clients from the engine's port 2376$`, "u"),
    hint: /^Open it on the machine: /u,
  });
  assert.equal(hint, `Open it on the machine: ${command}`);
  assert.equal(await dial(host.address, 2376), closed);
  await host.sh(command);
  await program.ok(["provision", "web"]);
  await program.ok(["env", "web"]);
  await program.ok(["rm", "-y", "web"]);
}

/** Also after a reload; and `rm --restore` closes it again. */
async function opensItForGood({ name, closed, close, reload }: FirewallCase, program: Program, host: LabHost): Promise<void> {
  await host.sh(close);
  assert.equal(await dial(host.address, 2376), closed);
  assert.match(await program.ok(createArguments(host, "open")), new RegExp(`^Opening port 2376 in ${name}\\.\\.\\.$`, "mu"));
  await host.sh(reload);
  await program.ok(["env", "open"]);
  assert.match(await program.ok(["rm", "-y", "--restore", "open"]), /Successfully removed open/u);
  assert.equal(await dial(host.address, 2376), closed);
}
