import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import { runShell, shells } from "../../../test/support/shells.ts";
import { configureScript } from "../scripts/configure-script.ts";
import { detectFamily } from "./detect-family.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { Family } from "./family.ts";
import { forecastScript } from "../scripts/forecast-script.ts";
import { installScript, prepareScript, upgradeScript } from "../scripts/install-script.ts";
import { planProvision } from "../plan/plan.ts";
import { defaultBounds } from "../provision-context.ts";
import { engineSources } from "../provision-request.ts";
import { families } from "./families.ts";
import { planRestore, recoverScript, restoreScript, withdrawScript } from "../scripts/restore-script.ts";
import type { ShellText } from "../shell/shell-text.ts";

const all: readonly Family[] = Object.values(families);

test("the registry and the folders agree", () => {
  const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  assert.deepEqual(Object.keys(families).toSorted(), folders.toSorted());
  for (const [key, family] of Object.entries(families)) assert.equal(family.name, key);
});

test("no system belongs to two families, and the one that takes everything is the last", () => {
  const ids = all.flatMap((family) => family.ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(
    all.filter((family) => family.accepts !== undefined).map((family) => family.name),
    [all.at(-1)?.name],
  );
});

function factsOf(family: Family): HostFacts {
  return hostFacts({
    os: { id: family.ids[0] ?? "photon", idLike: [], versionId: "9" },
    packageManagers: ["apt-get", "dnf", "zypper", "pacman", "apk"],
  });
}

/** Every script that this family can ever send. */
function scriptsOf(family: Family): readonly ShellText[] {
  const facts = factsOf(family);
  const request = provisionRequest({ engine: { version: "27.3.1" }, adopted: false, machineName: "it's web" });
  const parameters = {
    env: ["HTTPS_PROXY=http://it's"],
    bounds: defaultBounds,
    epochSeconds: 1,
    allowDowngrade: true,
    daemonJson: undefined,
  };
  const engine = { dockerdPath: "/usr/bin/dockerd", fresh: false };
  const swarm = {
    master: true,
    agent: true,
    discovery: "token://x",
    image: "swarm",
    strategy: "spread",
    host: "tcp://0.0.0.0:3376",
    address: "",
    experimental: true,
    options: ["a=b"],
    joinOptions: ["c=d e"],
  };
  const plan = planProvision({ ...facts, engine: { ...facts.engine, ...engine } }, family, { ...request, swarm });
  const ways = engineSources.flatMap((source) =>
    source === "auto" ? [] : (family.installation(source, facts, request.engine) ?? []),
  );
  const record = {
    changes: [
      { kind: "package", what: "it's" },
      { kind: "package-gone", what: "it's 1.0" },
      { kind: "package-key", what: "gpg-pubkey-1" },
      { kind: "file-changed", what: "/etc/it's" },
      { kind: "file-created", what: "/etc/x" },
      { kind: "folder-created", what: "/etc/y" },
    ],
    altered: new Set<string>(),
    owners: [],
    below: [],
  };
  return [
    configureScript(plan, facts, 2376, defaultBounds, 1),
    ...ways.flatMap((way) =>
      [
        prepareScript(plan, way, parameters) ?? [],
        installScript(plan, way, "KEY", parameters),
        upgradeScript(plan, way, "KEY", parameters),
      ].flat(),
    ),
    forecastScript(ways, "it's web", parameters.env, defaultBounds),
    restoreScript(planRestore(facts, record), facts, family, "it's web", defaultBounds, [1]),
    withdrawScript([1], "it's web", defaultBounds),
    recoverScript("it's web"),
  ];
}

for (const family of all) {
  test(`every script of ${family.name} is one that every shell reads`, () => {
    assert.equal(detectFamily(factsOf(family)).name, family.name);
    for (const script of scriptsOf(family)) {
      for (const shell of shells)
        assert.deepEqual([runShell([...shell, "-n"], script.text).stderr, shell.join(" ")], ["", shell.join(" ")]);
    }
  });
}
