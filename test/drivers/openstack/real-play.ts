/** The play of `recordings.test.ts` at a real OpenStack: its exchanges are those that were recorded, or are written down. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { HttpClient } from "../../../src/system/http-request.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { testDriverContext } from "../../../src/testing/driver-context.ts";
import { account } from "./fake-keystone.ts";
import { play } from "./play.ts";
import { distinct, keyOf, recordingHttp, type RecordedExchange } from "./recording.ts";
import { everything, placelessComputer, prefixed } from "./scene.ts";

const recordings = path.join(import.meta.dirname, "recordings.json");

/** @param record whether the recordings become those of this play @returns how many requests it made */
export async function playForReal(authUrl: string, record: boolean, signal: AbortSignal): Promise<number> {
  const exchanges: RecordedExchange[] = [];
  const http = recordingHttp(new HttpClient({ env: {}, clock: systemClock }), exchanges);
  await using made = await testDriverContext("web", { computer: placelessComputer, http });
  const flags = {
    ...prefixed({ "auth-url": authUrl, username: account.user, password: account.password, "tenant-name": account.project }),
    ...prefixed({ "flavor-name": "m1.small", "image-name": "debian-12-x86_64", ...everything, "active-timeout": 600 }),
  };
  await play(made.context, flags, signal);
  const told = distinct(exchanges);
  if (record) await writeFile(recordings, `[\n${told.map((each) => JSON.stringify(each)).join(",\n")}\n]\n`);
  const recorded = JSON.parse(await readFile(recordings, "utf8")) as readonly RecordedExchange[];
  assert.deepEqual(kindsOf(told), kindsOf(recorded), "requests and statuses are no more those of recordings.json");
  return exchanges.length;
}

/** Failures of the cloud's own, which are waited out, come as they come. */
function kindsOf(exchanges: readonly RecordedExchange[]): readonly string[] {
  return [...new Set(exchanges.filter(({ status }) => status < 500).map(keyOf))].toSorted();
}
