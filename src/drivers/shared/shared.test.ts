import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { driverOptions } from "../../driver-kit/create-flag.ts";
import { formatTicket, guestKeyFile, parseTicket, type ShareTicket } from "../../driver-kit/share-ticket.ts";
import { generateKeyPair } from "../../ssh/keys.ts";
import { fingerprintOf, parsePublicKey } from "../../ssh/public-key.ts";
import { describeDriverCrashes } from "../../testing/crash-suite.ts";
import { testDriverContext } from "../../testing/driver-context.ts";
import { describeDriverContract } from "../../testing/driver-contract.ts";
import { driverModule } from "./index.ts";

const hostKey = generateKeyPair("host").publicKey.split(" ").slice(0, 2).join(" ");
const own = generateKeyPair("alice").publicKey;
const ownKey = parsePublicKey(own);

function ticketWith(change: Partial<ShareTicket> = {}): string {
  return formatTicket({
    ...{ machine: "web", address: "192.0.2.7", port: 2222, user: "docker-machine", hostKeys: [hostKey], mode: "engine" },
    guestKey: ownKey === undefined ? "" : fingerprintOf(ownKey),
    until: "2100-01-01T00:00:00.000Z",
    ...change,
  });
}

/** Nothing is made anywhere. */
async function suiteWorld() {
  return { module: driverModule, flags: { "shared-ticket": ticketWith() }, records: [], resources: () => [] };
}

describeDriverContract("shared", suiteWorld, { refusedFlags: { "shared-ticket": "" } });
describeDriverCrashes("shared", suiteWorld, { makesNothing: true });

test("a ticket says where the machine is, and whose key it is for", async () => {
  await using testContext = await testDriverContext("web");
  const { context } = testContext;
  const open = async () => {
    const driver = driverModule.open(context, undefined);
    await driver.setConfigFromFlags(driverOptions({ "shared-ticket": ticketWith() }));
    return driver;
  };
  const driver = await open();
  assert.deepEqual(
    [await driver.getSshHostname(), await driver.getSshPort(), await driver.getSshUsername(), await driver.getSshKeyPath()],
    ["192.0.2.7", 2222, "docker-machine", ""],
  );
  assert.deepEqual(await driver.hostKeys?.(), [hostKey]);
  const warnings = (): string[] =>
    testContext.events.flatMap((event) => (event.type === "log" && event.level === "warn" ? [event.text] : []));
  await driver.create(AbortSignal.timeout(1_000));
  assert.match(warnings().join("\n"), /^The ticket is for the key SHA256:\S+, which is not the one of share request here/u);
  const file = guestKeyFile(context.storePath);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.pub`, own);
  const holder = await open();
  await holder.create(AbortSignal.timeout(1_000));
  assert.deepEqual([await holder.getSshKeyPath(), warnings().length], [file, 1]);
});

test("after its time it is no machine any more, and cannot be accepted", async () => {
  await using testContext = await testDriverContext("web");
  const { context } = testContext;
  const signal = AbortSignal.timeout(1_000);
  const driver = driverModule.open(context, undefined);
  const until = context.clock.now().toISOString();
  await driver.setConfigFromFlags(driverOptions({ "shared-ticket": ticketWith({ until }) }));
  assert.equal(await driver.getState(signal), "Error");
  assert.match(driver.stateProblem ?? "", /shared it until/u);
  await assert.rejects(driver.preCreateCheck(signal), { code: "machine-state" });
});

test("what is no ticket, was torn, or says what a ticket cannot say, is refused", () => {
  const good = ticketWith();
  assert.equal(parseTicket(`${good.slice(0, 40)}\n  ${good.slice(40)}`).machine, "web");
  const changes = [{ port: 1.5 }, { hostKeys: [] }, { until: "soon" }, { address: "a b" }, { user: "-o" }];
  const bad = ["", "web", good.slice(0, -9), ...changes.map((change) => ticketWith(change))];
  for (const text of bad) assert.throws(() => parseTicket(text), { code: "usage" }, text);
});

test("a ticket whose host key is none leaves nothing to trust", async () => {
  await using testContext = await testDriverContext("web");
  const driver = driverModule.open(testContext.context, undefined);
  const options = driverOptions({ "shared-ticket": ticketWith({ hostKeys: ["ssh-ed25519 AAAA"] }) });
  await assert.rejects(driver.setConfigFromFlags(options), { code: "usage" });
});
