/** `restart` of a box: whatever shell its user has and however it becomes root, the box is seen to have rebooted. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { defaultValue, driverOptions } from "../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../src/drivers/generic/index.ts";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import { testDriverContext } from "../../src/testing/driver-context.ts";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { failureOf } from "../support/failure.ts";

const skip = (await labUnavailableReason()) ?? false;

async function restart(host: LabHost, password: string | undefined): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "restart-"));
  const passwordFile = path.join(folder, "password");
  if (password !== undefined) await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await using testContext = await testDriverContext("web", {
    openSsh: async () => {
      const target = {
        hostName: host.address,
        port: host.sshPort,
        userName: host.sshUser,
        identityFile: host.privateKeyPath,
        hostKeys: { knownHostsFile: path.join(folder, "known_hosts"), alias: "web", unknown: "trust-first-use" as const },
        connectTimeoutMs: 10_000,
      };
      return await openSshExecutor("openssh", target, testContext.context);
    },
  });
  const given = {
    "generic-ip-address": host.address,
    ...(password === undefined ? {} : { "generic-sudo-password-file": passwordFile }),
  };
  const defaults = Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)]));
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(driverOptions({ ...defaults, ...given }, new Set(Object.keys(given))));
  try {
    await driver.restart(AbortSignal.timeout(120_000));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const bootOf = async (host: LabHost): Promise<string> => await host.sh("cut -d ' ' -f 22 /proc/1/stat");

test("fish and tcsh, sudo with a password: the box has rebooted when the command ends", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("other-shells");
  for (const shell of ["/usr/bin/fish", "/usr/bin/tcsh"]) {
    await host.sh(`usermod --shell ${shell} admin`);
    const before = await bootOf(host);
    await restart(host, host.sudoPassword);
    assert.notEqual(await bootOf(host), before, shell);
  }
});

test("without the password, and with a wrong one, nothing reboots and nothing is claimed", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("sudo-password");
  const before = await bootOf(host);
  const none = await failureOf(restart(host, undefined));
  assert.deepEqual([none.code, none.message], ["sudo-required", 'sudo on "web" asks for a password, and none is recorded']);
  const wrong = await failureOf(restart(host, "wrong"));
  assert.deepEqual([wrong.code, wrong.message], ["sudo-required", 'sudo on "web" did not accept the recorded password']);
  assert.equal(await bootOf(host), before);
});
