import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { findCredential, type CredentialPlace } from "./credentials.ts";

const { signal } = new AbortController();
const wayOut = "Make a token and give it with --cloud-token";

function place(name: string, credential: string | undefined, storable = false): CredentialPlace<string> {
  return { name, storable, look: async () => await Promise.resolve(credential) };
}

test("the first place that has one wins, and says whether it may be stored", async () => {
  const never: CredentialPlace<string> = { ...place("never", undefined), look: async () => assert.fail("looked too far") };
  const places = [place("--cloud-token", undefined, true), place("CLOUD_TOKEN", "t1"), never];
  const found = await findCredential({ provider: "Cloud", places, wayOut }, signal);
  assert.deepEqual(found, { credential: "t1", place: "CLOUD_TOKEN", storable: false });
  const given = await findCredential({ provider: "Cloud", places: [place("--cloud-token", "t0", true), never], wayOut }, signal);
  assert.deepEqual(given, { credential: "t0", place: "--cloud-token", storable: true });
});

test("when there is none, every place is named, and the way out", async () => {
  const places = [place("--cloud-token", undefined), place("CLOUD_TOKEN", undefined), place("cloudctl's config.yaml", undefined)];
  await assert.rejects(findCredential({ provider: "Cloud", places, wayOut }, signal), (error) => {
    assert.ok(isMachineError(error, "provider-credentials"));
    assert.match(error.message, /for Cloud were found; looked at: --cloud-token, CLOUD_TOKEN, cloudctl's config\.yaml$/u);
    assert.equal(error.hint, wayOut);
    return true;
  });
});

test("what is there and unusable is said, not passed over", async () => {
  const broken = {
    ...place("the file", undefined),
    look: async () => await Promise.reject(new MachineError("provider-credentials", "torn")),
  };
  await assert.rejects(findCredential({ provider: "Cloud", places: [broken, place("later", "t")], wayOut }, signal), /torn/u);
});

test("the signal ends the search with its reason", async () => {
  const stopped = AbortSignal.abort(new Error("stop"));
  await assert.rejects(findCredential({ provider: "Cloud", places: [place("a", "t")], wayOut }, stopped), /^Error: stop$/u);
});
