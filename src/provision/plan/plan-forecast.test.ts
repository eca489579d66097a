/** Plans for hosts whose packages an engine would touch; recorded as those of plan.test.ts are. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { failureOf } from "../../../test/support/failure.ts";
import { hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import type { MachineError } from "../../errors/machine-error.ts";
import { debian } from "../families/debian/index.ts";
import type { Forecasts, WayForecast } from "../install/package-forecast.ts";
import { formatPlan } from "./format-plan.ts";
import { planProvision, requireNoRemoval, type Plan } from "./plan.ts";

type RequestOverrides = NonNullable<Parameters<typeof provisionRequest>[0]>;

function planOf(request: RequestOverrides, forecasts: Forecasts): Plan {
  return planProvision(hostFacts(), debian, provisionRequest(request), forecasts);
}

const harmless: WayForecast = { kind: "told", words: [], state: "", removed: [], replaced: [], held: [] };
const takesContainerd: WayForecast = {
  kind: "told",
  words: ["docker-ce"],
  state: "",
  removed: [
    { name: "containerd", version: "1.6.20~ds1-1+deb12u3" },
    { name: "runc", version: "1.1.5+ds1-1+deb12u1" },
  ],
  replaced: [{ name: "libseccomp2", from: "2.5.4-1", to: "2.5.4-1+deb12u1" }],
  held: [],
};
const forecastCases: Readonly<Record<string, readonly [Forecasts, RequestOverrides]>> = {
  "debian-takes-packages": [
    new Map([
      ["docker", takesContainerd],
      ["distro", harmless],
    ]),
    {},
  ],
  "debian-packages-given": [new Map([["docker", takesContainerd]]), { engine: { allowRemoval: true } }],
  "debian-packages-unknown": [new Map([["docker", { kind: "unknown", reason: "curl must be installed first" }]]), {}],
  "debian-packages-held": [
    new Map<"docker" | "distro", WayForecast>([
      ["docker", { kind: "unreachable", reason: "no route" }],
      ["distro", { ...harmless, held: ["libc6"] }],
    ]),
    {},
  ],
};

for (const [name, [forecasts, request]] of Object.entries(forecastCases)) {
  test(`plan of ${name}`, () => {
    const file = new URL(`../../../test/golden/plans/${name}.txt`, import.meta.url);
    const text = formatPlan(planOf(request, forecasts));
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, text);
    assert.equal(text, readFileSync(file, "utf8"));
  });
}

const removalOf = (name: string): Promise<MachineError> => {
  const [forecasts, request] = forecastCases[name] ?? assert.fail();
  return failureOf(() => requireNoRemoval(planOf(request, forecasts)));
};

test("packages that would go are named, and the way that takes none", async () => {
  const error = await removalOf("debian-takes-packages");
  assert.equal(error.code, "package-removal");
  assert.equal(
    error.message,
    "Installing the engine would remove packages that are on web: containerd 1.6.20~ds1-1+deb12u3, runc 1.1.5+ds1-1+deb12u1",
  );
  assert.match(error.hint ?? "", /^--engine-source distro takes nothing away\. .*--engine-allow-removal/u);
});

test("a package that its owner holds is not released by giving others away", async () => {
  const error = await removalOf("debian-packages-held");
  assert.match(error.message, /^libc6 on web is held at its version by its owner/u);
});

test("what may go, and what cannot be told, does not stop the plan", () => {
  for (const name of ["debian-packages-given", "debian-packages-unknown"]) {
    const [forecasts, request] = forecastCases[name] ?? assert.fail();
    requireNoRemoval(planOf(request, forecasts));
  }
});
