/**
 * The fake held against recordings of a real OpenStack (Zed, of Debian's packages; `npm run lab:openstack -- --record` makes
 * them): the same play, the same outcome of each request, and nothing in an answer of the fake that a real one has not.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { explain, failures } from "../../../src/drivers/openstack/failures.ts";
import { kindOfFailure } from "../../../src/driver-kit/provider-error.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { HttpClient } from "../../../src/system/http-request.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { FakeOpenStack } from "./fake-openstack.ts";
import { play } from "./play.ts";
import { distinct, formOf, keyOf, recordingHttp, strangeIn, type RecordedExchange } from "./recording.ts";
import { everything, fakeFlags, prefixed, placelessComputer } from "./scene.ts";
import { testDriverContext } from "../../../src/testing/driver-context.ts";

const file = path.join(import.meta.dirname, "recordings.json");

test("the fake answers a whole life and all refusals as a real OpenStack did", async () => {
  const real = JSON.parse(readFileSync(file, "utf8")) as readonly RecordedExchange[];
  const ours = await playedOnTheFake();
  const statuses = (all: readonly RecordedExchange[]): readonly string[] => [...new Set(all.map(keyOf))].toSorted();
  assert.deepEqual(statuses(ours), statuses(real));
  const strange = ours.flatMap((each) => {
    const alike = real.filter((other) => keyOf(other) === keyOf(each));
    const all = alike.map((other) => [...strangeIn(formOf(each.answer), formOf(other.answer)), ...otherKind(each, other)]);
    return all.some((one) => one.length === 0) ? [] : [`${keyOf(each)}: ${(all[0] ?? []).join(", ")}`];
  });
  assert.deepEqual([...new Set(strange)], []);
});

async function playedOnTheFake(): Promise<readonly RecordedExchange[]> {
  await using cloud = await FakeOpenStack.start();
  cloud.shelf.pageSize = 100;
  const clock = new HastyClock();
  const exchanges: RecordedExchange[] = [];
  const http = recordingHttp(new HttpClient({ env: {}, clock: systemClock }), exchanges);
  await using made = await testDriverContext("web", { clock, computer: placelessComputer, http });
  await play(made.context, { ...fakeFlags(cloud), ...prefixed(everything) }, AbortSignal.timeout(60_000));
  assert.deepEqual(cloud.resources, []);
  return distinct(exchanges);
}

/** What the driver makes of two refusals. */
function otherKind(one: RecordedExchange, other: RecordedExchange): readonly string[] {
  if (one.status < 400) return [];
  const kinds = [one, other].map(({ status, answer }) => {
    const failure = explain({ status, headers: {}, text: typeof answer === "string" ? answer : JSON.stringify(answer) });
    return { kind: kindOfFailure(failure, failures), code: failure.code };
  });
  return JSON.stringify(kinds[0]) === JSON.stringify(kinds[1])
    ? []
    : [`${JSON.stringify(kinds[0])}, not ${JSON.stringify(kinds[1])}`];
}
