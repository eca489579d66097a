import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "../../../test/support/failure.ts";
import { hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import type { HostFacts } from "../facts/facts.ts";
import { families } from "../families/families.ts";
import { waysFor } from "./installation-choice.ts";

const leapThatSaysRocky = (packageManagers: HostFacts["packageManagers"]): HostFacts =>
  hostFacts({ os: { id: "rocky", idLike: ["rhel"], versionId: "9.4", prettyName: "Rocky Linux 9.4" }, packageManagers });

for (const [managers, words] of [
  [["zypper"], "zypper"],
  [["apt-get", "pacman"], "apt-get and pacman"],
  [[], "no package manager"],
] as const) {
  test(`an os-release whose package manager is not there is not believed: ${words}`, async () => {
    const error = await failureOf(() => waysFor(leapThatSaysRocky(managers), families.redhat, provisionRequest()));
    assert.equal(error.code, "os-unsupported");
    assert.equal(error.message, `web says that it is Rocky Linux 9.4, whose package manager is dnf, and has ${words}`);
    assert.match(error.hint ?? "", /--engine-source static/u);
  });
}

test("of two managers side by side the system's own is taken, and static binaries need none", () => {
  const sources = waysFor(leapThatSaysRocky(["apt-get", "dnf"]), families.redhat, provisionRequest()).map(({ source }) => source);
  assert.deepEqual(sources, ["docker"]);
  const request = provisionRequest({ engine: { source: "static" } });
  assert.deepEqual(
    waysFor(leapThatSaysRocky([]), families.redhat, request).map(({ source }) => source),
    ["static"],
  );
});
