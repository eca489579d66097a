/** Who has had a word from a team's database waits for a page of what it has for as long as a slow line needs. */
import assert from "node:assert/strict";
import { ledgerBounds } from "../../src/team/bounds.ts";
import type { Ledger } from "../../src/team/ledger.ts";
import type { Relay } from "./relay.ts";

const never = new AbortController().signal;

/** @param ledger asks through the relay */
export async function expectPatience(ledger: Ledger, relay: Relay): Promise<void> {
  const put = [{ key: "m/web", value: "1" }];
  await ledger.commit({ token: crypto.randomUUID(), require: [], put, remove: [] }, never);
  relay.delayMs = ledgerBounds.readMs / 2 + 200;
  const { taken } = await ledger.readPages("m/", async (page) => page.map(({ key }) => key), never);
  assert.deepEqual(taken.flat(), ["m/web"]);
  await assert.rejects(ledger.read("m/", 0, never), { code: "store-unreachable" });
}
