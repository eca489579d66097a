/** Documents that are made from code are as the code says. */
import assert from "node:assert/strict";
import { ledgerBounds, lockTtlMs } from "../src/team/bounds.ts";
import { existsSync, globSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { commandTable } from "../src/cli/command-table.ts";
import { pluginBounds } from "../src/assembly/driver-catalog.ts";
import { settleMs as ec2SettleMs } from "../src/drivers/amazonec2/workplace.ts";
import { settleMs } from "../src/drivers/digitalocean/creation.ts";
import { defaultActiveSeconds } from "../src/drivers/openstack/options.ts";
import { settleMs as openStackSettleMs, unknownMs } from "../src/drivers/openstack/creation.ts";
import { groupFreeMs } from "../src/drivers/openstack/removal.ts";
import { engineHeadStartMs } from "../src/drivers/generic/index.ts";
import { addressPatienceMs } from "../src/drivers/vmwarevsphere/address.ts";
import { busyMs } from "../src/drivers/vmwarevsphere/api/vim-api.ts";
import { shutdownMs } from "../src/drivers/vmwarevsphere/power.ts";
import { hostKeysMs } from "../src/drivers/google/location.ts";
import { rebootMs } from "../src/drivers/generic/reboot.ts";
import { graceMs } from "../src/system/waiting.ts";
import { defaultRetryPolicy } from "../src/driver-kit/http-api.ts";
import { connectBoundMs } from "../src/system/http-request.ts";
import { doctorBounds } from "../src/machine/doctor/live-subject.ts";
import { engineGraceMs, headStartMs } from "../src/machine/host/side-by-side.ts";
import { defaultTimeouts, timeoutTable } from "../src/machine/timeouts.ts";
import { watcherBounds } from "../src/machine/published/watch.ts";
import { defaultBounds as defaultPluginBounds, placePatienceMs } from "../src/plugin/plugin-bounds.ts";
import { defaultBounds as defaultProvisionBounds } from "../src/provision/provision-context.ts";
import { hopelessMs } from "../src/ssh/connect.ts";
import { sftpAnswerMs } from "../src/ssh/copy-bounds.ts";
import { keepalive } from "../src/ssh/ssh-bounds.ts";
import { completionScriptsModule, target as completionScripts } from "../scripts/completion-scripts.ts";
import { sharedCreateFlags } from "../src/cli/create/shared-flags.ts";
import type { CreateFlag, FlagValue } from "../src/driver-kit/create-flag.ts";
import { builtinDrivers } from "../src/drivers/registry.ts";
import { testDriverContext } from "../src/testing/driver-context.ts";
import { optionsOf } from "../src/testing/flag-values.ts";
import { flagDocuments } from "../scripts/driver-flags-doc.ts";
import { cliDocuments, presentCliDocuments } from "../scripts/cli-doc.ts";
import { errorsDocument } from "../scripts/errors-doc.ts";
import { manPages } from "../scripts/man-pages.ts";

test("docs/errors.md lists every error code", () => {
  assert.equal(readFileSync("docs/errors.md", "utf8"), errorsDocument());
});

test("docs/cli has a page for each command, as the tables have it", () => {
  const documents = cliDocuments();
  assert.deepEqual(presentCliDocuments(), Object.keys(documents).toSorted(), "run node scripts/cli-doc.ts");
  for (const [name, ought] of Object.entries(documents))
    assert.equal(readFileSync(`docs/cli/${name}`, "utf8"), ought, `docs/cli/${name}: run node scripts/cli-doc.ts`);
});

test("docs/README.md leads to every document, and to nothing that is not there", () => {
  const index = readFileSync("docs/README.md", "utf8");
  const links = [...index.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/gu)].map(([, link = ""]) => path.posix.join("docs", link));
  assert.deepEqual(
    links.filter((link) => !existsSync(link)),
    [],
  );
  const documents = globSync("docs/**/*.md").filter((file) => !file.startsWith("docs/cli/") && file !== "docs/README.md");
  assert.deepEqual(
    documents.filter((file) => !links.includes(file)),
    [],
  );
});

test("each command has a man page, and no text in it is a request to roff", () => {
  const known = /^\.(?:TH|SH|SS|TP|B|BR|I|nf|fi)(?: |$)/u;
  for (const [name, page] of Object.entries(manPages())) {
    assert.match(page, /^\.TH DOCKER\\-MACHINE\S* 1 /u, name);
    for (const line of page.split("\n")) assert.ok(!/^[.']/u.test(line) || known.test(line), `${name}: ${line}`);
    assert.doesNotMatch(page, /\\(?![-e&]|\((?:aq|ga|ha|ti))/u, name);
  }
});

test("the program holds the completion scripts as they stand in completions/", () => {
  assert.equal(readFileSync(completionScripts, "utf8"), completionScriptsModule());
});

test("docs/drivers lists the flags as the drivers have them", async () => {
  const documents = await flagDocuments();
  assert.ok(documents.length > 0);
  for (const { file, is, ought } of documents) assert.equal(is, ought, `${file}: run node scripts/driver-flags-doc.ts`);
});

const [timeouts = "", fixedTimeouts = ""] = readFileSync("docs/timeouts.md", "utf8").split("\nFixed,");

test("docs/timeouts.md lists every bound that can be changed, with its variable and default, in their order", () => {
  const rows = [...timeouts.matchAll(/^\| .+? \| `([A-Z_]+)` \| ([^|]+) \| .+ \|$/gmu)].map(([, name, bound]) => [name, bound]);
  const table = Object.values(timeoutTable).map(({ variable, defaultMs }) => [variable, inWords(defaultMs)]);
  assert.deepEqual(rows, table);
});

test("docs/timeouts.md gives the fixed bounds as they are", () => {
  const rows = [...fixedTimeouts.matchAll(/^\| [^|]+ \| (\d[^|]*) \| [^|]+ \|$/gmu)].map(([, bound]) => bound);
  const listFlag = commandTable.find(({ name }) => name === "ls")?.flags.find(({ name }) => name === "timeout");
  assert.ok(listFlag?.kind === "int");
  assert.deepEqual(rows, [
    inWords(ledgerBounds.readMs),
    inWords(ledgerBounds.writeMs),
    inWords(ledgerBounds.pageMs),
    inWords(ledgerBounds.firstMs),
    `${ledgerBounds.nobodyMs / 1000} s`,
    inWords(lockTtlMs),
    `${inWords((listFlag.value ?? 0) * 1000)}, \`--timeout N\` (seconds)`,
    inWords(doctorBounds.stateMs),
    inWords(doctorBounds.probeMs),
    inWords(doctorBounds.queryMs),
    inWords(doctorBounds.engineMs),
    inWords(doctorBounds.nameMs),
    `${headStartMs / 1000} s`,
    `${engineGraceMs / 1000} s`,
    inWords(keepalive.intervalMs * keepalive.unanswered),
    inWords(sftpAnswerMs),
    inWords(engineHeadStartMs),
    inWords(hopelessMs),
    inWords(watcherBounds.retry),
    inWords(watcherBounds.lock),
    inWords(rebootMs),
    inWords(hostKeysMs),
    inWords(shutdownMs),
    inWords(busyMs),
    inWords(addressPatienceMs),
    inWords(graceMs),
    inWords(placePatienceMs),
    inWords(connectBoundMs),
    inWords(defaultRetryPolicy.boundMs),
    inWords(ec2SettleMs),
    inWords(settleMs),
    `${defaultActiveSeconds} s, \`--openstack-active-timeout\``,
    inWords(openStackSettleMs),
    inWords(unknownMs),
    inWords(groupFreeMs),
  ]);
});

/** A runner puts two dashes before each. */
function machineOptions(toml: string): ReadonlyMap<string, string | undefined> {
  const options = /MachineOptions = \[([^\]]*)\]/u.exec(toml)?.[1] ?? "";
  return new Map([...options.matchAll(/"([^"=]+)(?:=([^"]*))?"/gu)].map(([, name = "", value]) => [name, value] as const));
}

function valueOf(flag: CreateFlag, given: string | undefined): FlagValue {
  if (flag.kind === "bool") return given !== "false";
  if (flag.kind === "int") return Number(given);
  return flag.kind === "strings" ? [given ?? ""] : (given ?? "");
}

test("the configurations of docs/how-to/gitlab-runner.md are ones that the drivers take", async () => {
  const blocks = [...readFileSync("docs/how-to/gitlab-runner.md", "utf8").matchAll(/```toml\n([\s\S]*?)```/gu)];
  assert.equal(blocks.length, 2);
  for (const [, toml = ""] of blocks) {
    const name = /MachineDriver = "(\w+)"/u.exec(toml)?.[1] as "amazonec2" | "google";
    const module = await builtinDrivers[name]();
    const given = machineOptions(toml);
    assert.ok(given.size > 8);
    const values: Record<string, FlagValue> = {};
    for (const [option, value] of given) {
      const flag = module.flags.find((each) => each.name === option);
      if (flag === undefined)
        assert.ok(
          sharedCreateFlags.some((each) => each.name === option),
          option,
        );
      else values[option] = valueOf(flag, value);
    }
    await using scene = await testDriverContext("runner-t1-ci-1700000000-0a1b2c3d");
    await module.open(scene.context, undefined).setConfigFromFlags(optionsOf(module, values));
  }
});

test("what provisioning and plugins take for granted are the defaults of a command", () => {
  const provision = Object.keys(defaultProvisionBounds).map((name) => [
    name,
    defaultTimeouts[name as keyof typeof defaultTimeouts],
  ]);
  assert.deepEqual(Object.fromEntries(provision), defaultProvisionBounds);
  const { heartbeatIntervalMs } = defaultPluginBounds;
  assert.deepEqual({ ...pluginBounds(defaultTimeouts), heartbeatIntervalMs }, defaultPluginBounds);
});

function inWords(ms: number): string {
  const unit = (
    [
      ["h", 3_600_000],
      ["min", 60_000],
      ["s", 1_000],
    ] as const
  ).find(([, length]) => ms % length === 0);
  assert.ok(unit !== undefined, `${ms}`);
  return `${ms / unit[1]} ${unit[0]}`;
}
