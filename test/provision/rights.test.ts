/** Who may do what on a host: root, sudo with and without a password, neither; and that no secret is seen on the way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { provisionHost } from "../../src/provision/provision.ts";
import type { ProvisionRequest } from "../../src/provision/provision-request.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { openLabMachine } from "./lab-machine.ts";
import { failureOf } from "../support/failure.ts";
import { renewSudoPassword, watchHere, watchHost } from "../support/secret-watch.ts";

const skip = (await labUnavailableReason()) ?? false;

for (const backend of ["openssh", "native"] as const) {
  test(`a user with sudo and no password, by the back end ${backend}: as few round trips as root`, { skip }, async () => {
    await using lab = await openLab();
    await using host = await lab.start("sudo");
    await using machine = await openLabMachine(host, { backend });
    await provisionHost(machine.request(), machine.context);
    assert.equal(machine.ssh.roundTrips, 2);
    assert.equal(await machine.ask("/_ping"), "OK");
    assert.equal(await host.sh("stat -c '%a %U' /etc/docker/server-key.pem"), "600 root");
  });
}

test(
  "sudo that insists on a terminal (requiretty) works as sudo does; one that lets nothing be started is told",
  { skip },
  async () => {
    await using lab = await openLab();
    await using host = await lab.start("sudo");
    await using machine = await openLabMachine(host);
    await host.sh("printf 'Defaults requiretty\\n' > /etc/sudoers.d/zz-terminal; chmod 440 /etc/sudoers.d/zz-terminal");
    await provisionHost(machine.request(), machine.context);
    assert.equal(await machine.ask("/_ping"), "OK");
    assert.equal(machine.ssh.roundTrips, 2);
    await host.sh("printf 'Defaults noexec\\n' > /etc/sudoers.d/zz-terminal");
    const error = await failureOf(provisionHost(machine.request(), machine.context));
    assert.equal(error.message, "sudo on web runs a shell, but lets it start no programs (noexec)");
  },
);

test("with a sudo password no secret is seen in processes, logs, files or reports, here or there", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("sudo-password");
  await using machine = await openLabMachine(host);
  const sudoPassword = await renewSudoPassword(host);
  let asked = 0;
  const request = machine.request({ sudoPassword: async () => (asked++, sudoPassword) });
  const keyLine = request.serverKey.split("\n")[1] ?? "";
  assert.ok(keyLine.length > 20);
  const secrets = [sudoPassword, keyLine];

  let here: readonly string[] = [];
  const seen = await watchHost(host, { everywhere: secrets }, async () => {
    here = await watchHere({ everywhere: secrets }, async () => void (await provisionHost(request, machine.context)));
  });
  assert.equal(seen, "");
  assert.deepEqual(here, []);
  assert.equal(asked, 1);
  assert.equal(await machine.ask("/_ping"), "OK");

  for (const secret of secrets) assert.ok(!JSON.stringify(machine.events).includes(JSON.stringify(secret).slice(1, -1)));
  const holders = await host.exec("grep -rlFf - /etc /var /home /root /tmp /run /usr/local 2> /dev/null", {
    stdin: `${secrets.join("\n")}\n`,
  });
  assert.deepEqual(holders.stdout.trim().split("\n"), ["/etc/docker/server-key.pem"]);
  assert.equal(await host.sh("stat -c '%a %U' /etc/docker/server-key.pem"), "600 root");
  const journal = await host.exec("journalctl --no-pager | grep -F -f -", { stdin: `${secrets.join("\n")}\n` });
  assert.equal(journal.stdout, "");
});

test("without root's rights nothing is touched: no password, a wrong one, no sudo at all", { skip }, async () => {
  await using lab = await openLab();
  await using asks = await lab.start("sudo-password");
  await using never = await lab.start("no-sudo");
  await using machine = await openLabMachine(asks);
  await using other = await openLabMachine(never);
  const refused = async (request: ProvisionRequest, context = machine.context): Promise<string> => {
    const error = await failureOf(provisionHost(request, context));
    assert.equal(error.code, "sudo-required");
    assert.ok(error.hint !== undefined);
    return error.message;
  };
  assert.equal(
    await refused(machine.request({ sudoPassword: undefined })),
    "sudo on web asks admin for a password, and none was given",
  );
  assert.equal(
    await refused(machine.request({ sudoPassword: async () => "CANARY-wrong" })),
    "sudo on web did not accept the password, or the user may not use sudo",
  );
  assert.equal(
    await refused(other.request(), other.context),
    "The user plain is not root on web and cannot become it: neither sudo nor doas is installed",
  );
  for (const host of [asks, never])
    assert.equal(await host.sh("ls -d /etc/docker/*.pem /var/lib/docker-machine 2> /dev/null || true"), "");
});
