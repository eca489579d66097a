import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { defaultValue, driverOptions, type DriverOptions, type FlagValue } from "../../driver-kit/create-flag.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import { generateKeyPair, loadPrivateKey } from "../../ssh/keys.ts";
import { SshUnreachableError, type UnreachableReason } from "../../ssh/ssh-errors.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { failureOf } from "../../../test/support/failure.ts";
import { describeDriverCrashes } from "../../testing/crash-suite.ts";
import { describeDriverContract } from "../../testing/driver-contract.ts";
import { testDriverContext } from "../../testing/driver-context.ts";
import { driverModule } from "./index.ts";
import { rebootMs } from "./reboot.ts";

/** As 0.16.2's plugin gave it after a create. */
const record =
  '{"IPAddress":"172.17.0.3","MachineName":"capgen","SSHUser":"root","SSHPort":22,' +
  '"SSHKeyPath":"/tmp/store/machines/capgen/capkey","StorePath":"/tmp/store","SwarmMaster":false,"SwarmHost":"",' +
  '"SwarmDiscovery":"","EnginePort":2376,"SSHKey":"/tmp/store/capkey"}';

/** Nothing is made anywhere. */
async function suiteWorld() {
  return { module: driverModule, flags: { "generic-ip-address": "192.0.2.7" }, records: [record], resources: () => [] };
}

describeDriverContract("generic", suiteWorld, { refusedFlags: {} });
describeDriverCrashes("generic", suiteWorld, { makesNothing: true });

function options(given: Readonly<Record<string, FlagValue>>): DriverOptions {
  const defaults = Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)]));
  return driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)));
}

test("the key is copied into the store, for the user alone, and its public half with it", async () => {
  await using testContext = await testDriverContext("web");
  const folder = await mkdtemp(path.join(tmpdir(), "generic-key-"));
  const key = path.join(folder, "id");
  const pair = generateKeyPair("test");
  await writeFile(key, pair.privateKey, { mode: 0o600 });
  await writeFile(`${key}.pub`, pair.publicKey);
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(options({ "generic-ip-address": "192.0.2.7", "generic-ssh-key": key }));
  await driver.preCreateCheck(AbortSignal.timeout(1_000));
  await driver.create(AbortSignal.timeout(1_000));
  await rm(folder, { recursive: true });
  const copy = await driver.getSshKeyPath();
  assert.equal(copy, path.join(testContext.context.machineDir, "id"));
  assert.equal(await readFile(copy, "utf8"), pair.privateKey);
  assert.equal((await stat(copy)).mode & 0o777, 0o600);
  assert.equal(await readFile(`${copy}.pub`, "utf8"), pair.publicKey);
});

for (const name of ["key.pem", "server-key.pem", "ca.pem", "config.json", "journal.ndjson", "known_hosts", "Secrets.json"]) {
  test(`a key that is named ${name} takes no file of the machine's folder`, async () => {
    await using testContext = await testDriverContext("web");
    const { machineDir } = testContext.context;
    await mkdir(machineDir, { recursive: true });
    await writeFile(path.join(machineDir, name), "ours");
    const folder = await mkdtemp(path.join(tmpdir(), "generic-key-"));
    const { privateKey } = generateKeyPair("test");
    await writeFile(path.join(folder, name), privateKey, { mode: 0o600 });
    const driver = driverModule.open(testContext.context, undefined);
    await driver.setConfigFromFlags(options({ "generic-ip-address": "192.0.2.7", "generic-ssh-key": path.join(folder, name) }));
    await driver.preCreateCheck(AbortSignal.timeout(1_000));
    await driver.create(AbortSignal.timeout(1_000));
    await rm(folder, { recursive: true });
    assert.equal(await readFile(path.join(machineDir, name), "utf8"), "ours");
    assert.equal(await readFile(await driver.getSshKeyPath(), "utf8"), privateKey);
    const { SSHKeyPath } = JSON.parse(await driver.configText()) as { SSHKeyPath: string };
    assert.equal(SSHKeyPath, await driver.getSshKeyPath(), "where 0.16.2 looks for it");
  });
}

test("a key that others can read is refused before anything is made", async () => {
  await using testContext = await testDriverContext("web");
  const key = path.join(testContext.context.storePath, "id");
  await writeFile(key, generateKeyPair("test").privateKey);
  await chmod(key, 0o644);
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(options({ "generic-ip-address": "192.0.2.7", "generic-ssh-key": key }));
  await assert.rejects(driver.preCreateCheck(AbortSignal.timeout(1_000)), (error) => isMachineError(error, "ssh-key-unusable"));
});

/** SSH that ends as it is told. */
function sshThat(fails: unknown): () => Promise<SshExecutor> {
  const connect = async (): Promise<void> => await (fails === undefined ? Promise.resolve() : Promise.reject(fails as Error));
  return async () => ({ connect, close: async () => {}, [Symbol.asyncDispose]: async () => {} }) as unknown as SshExecutor;
}

const unreachableFor = (reason: UnreachableReason): MachineError => new SshUnreachableError(reason, reason, {});

test("a machine whose engine listens runs, and its sshd is not asked", async () => {
  await using testContext = await testDriverContext("web");
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(options({ "generic-ip-address": "127.0.0.1", "generic-engine-port": port }));
  assert.equal(await driver.getState(AbortSignal.timeout(2_000)), "Running");
  await new Promise((resolve) => server.close(resolve));
});

for (const [state, failures] of [
  [
    "Running",
    [undefined, unreachableFor("hung-up"), unreachableFor("refused-for-now"), new MachineError("ssh-authentication", "no")],
  ],
  ["Stopped", (["refused", "timed-out", "no-route", "unknown-host"] as const).map(unreachableFor)],
] as const) {
  test(`without an engine, what SSH says is the state: ${state}`, async () => {
    for (const failure of failures) {
      await using testContext = await testDriverContext("web", { openSsh: sshThat(failure) });
      const driver = driverModule.open(testContext.context, undefined);
      await driver.setConfigFromFlags(options({ "generic-ip-address": "127.0.0.1", "generic-engine-port": 1 }));
      assert.equal(await driver.getState(AbortSignal.timeout(2_000)), state);
    }
  });
}

for (const [name, spoil] of [
  ["without a line break at its end", (text: string) => text.trimEnd()],
  ["with line breaks of Windows", (text: string) => text.replaceAll("\n", "\r\n")],
  ["with a byte order mark", (text: string) => `\uFEFF${text}`],
  ["on one line", (text: string) => text.replaceAll("\n", " ")],
] as const) {
  test(`a key ${name} stands in the store as OpenSSH reads it`, async () => {
    await using testContext = await testDriverContext("web");
    const key = path.join(testContext.context.storePath, "id");
    await writeFile(key, spoil(generateKeyPair("test").privateKey), { mode: 0o600 });
    await writeFile(`${key}-cert.pub`, "certificate");
    const driver = driverModule.open(testContext.context, undefined);
    await driver.setConfigFromFlags(options({ "generic-ip-address": "192.0.2.7", "generic-ssh-key": key }));
    await driver.create(AbortSignal.timeout(1_000));
    const copy = await driver.getSshKeyPath();
    assert.equal((await loadPrivateKey(copy, testContext.context.computer)).flaw, undefined);
    assert.equal(spawnSync("ssh-keygen", ["-y", "-f", copy]).status, 0);
    assert.equal(await readFile(`${copy}-cert.pub`, "utf8"), "certificate");
  });
}

test("an IPv6 address is bracketed in the URL", async () => {
  await using testContext = await testDriverContext("web");
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(options({ "generic-ip-address": "2001:db8::7", "generic-engine-port": 2377 }));
  assert.equal(await driver.getUrl(), "tcp://[2001:db8::7]:2377");
});

test("an entry of ssh_config gives what no flag gave", async () => {
  const asked: string[][] = [];
  await using testContext = await testDriverContext("web", {
    processes: {
      run: async (program, args) => {
        asked.push([program, ...args]);
        return {
          status: 0,
          signal: null,
          stdout: Buffer.from("user deploy\nhostname 192.0.2.9\nport 2222\n"),
          stderr: Buffer.alloc(0),
        };
      },
      spawn: () => assert.fail("nothing is spawned"),
      find: async () => undefined,
    },
  });
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(options({ "generic-ssh-config-host": "jump-web", "generic-ssh-port": 2200 }));
  assert.deepEqual(asked, [
    ["ssh", "-o", "IgnoreUnknown=ForkAfterAuthentication", "-o", "ForkAfterAuthentication=no", "-G", "--", "jump-web"],
  ]);
  assert.deepEqual(
    [await driver.getIp(), await driver.getSshUsername(), await driver.getSshPort()],
    ["192.0.2.9", "deploy", 2200],
  );
  assert.equal(driver.sshConfigHost, "jump-web");
});

/** A box that answers every script: of what boot it is, how its user becomes root, and that it takes the reboot. */
function box(boot: () => string, way = "root"): { openSsh: () => Promise<SshExecutor>; commands: string[]; stdin: string[] } {
  const commands: string[] = [];
  const stdin: string[] = [];
  const executor: SshExecutor = {
    roundTrips: 0,
    connect: async () => {},
    session: async () => assert.fail("a script is no session"),
    close: async () => {},
    run: async (command, { stdin: text = "" } = {}) => {
      commands.push(command);
      stdin.push(String(text));
      const asksForBoot = String(text).includes("@boot") && !String(text).includes("shutdown");
      const stdout = asksForBoot ? `Welcome\n@boot\t${boot()}\n` : `Welcome\n@way\t${way}\t\n`;
      return { status: 0, stdout: Buffer.from(stdout), stderr: Buffer.alloc(0) };
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { openSsh: async () => executor, commands, stdin };
}

test("a box that takes the reboot and goes on running is not called restarted", async () => {
  const clock = new FakeClock();
  await using testContext = await testDriverContext("web", { clock, openSsh: box(() => "1").openSsh });
  const driver = driverModule.open(testContext.context, undefined);
  const outcome = failureOf(driver.restart(AbortSignal.timeout(60_000)));
  for (let minute = 0; minute <= rebootMs / 60_000 + 2; minute++) await clock.advance(60_000);
  const error = await outcome;
  assert.deepEqual(
    [error.code, error.message],
    ["timeout", '"web" accepted the reboot and still runs what it ran before 10 minutes later'],
  );
});

test("every word that a restart sends is one that fish and csh read as sh does, and the password is in none of them", async () => {
  const clock = new FakeClock();
  let boots = 1;
  const host = box(() => String(boots++), "password");
  await using testContext = await testDriverContext("web", { clock, openSsh: host.openSsh });
  const file = path.join(testContext.context.storePath, "password");
  await writeFile(file, "open sesame\n");
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(options({ "generic-ip-address": "192.0.2.7", "generic-sudo-password-file": file }));
  const restarted = driver.restart(AbortSignal.timeout(60_000));
  // The password's file is read on the way: time passes until it is done.
  const ended = restarted.then(() => true);
  while (!(await Promise.race([ended, new Promise((resolve) => setImmediate(() => resolve(false)))]))) await clock.advance(1_000);
  assert.deepEqual([...new Set(host.commands)], ["sh -s", "sudo -k -S -p '' sh -s"]);
  assert.match(host.stdin[2] ?? "", /^open sesame\n/u);
});
