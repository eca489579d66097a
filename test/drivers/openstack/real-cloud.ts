/**
 * The driver on a real OpenStack, `npm run lab:openstack`: the play of `recordings.test.ts`, whose exchanges are written
 * down with `--record`. `--at URL` takes a cloud that was set up before.
 */
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { HttpClient } from "../../../src/system/http-request.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { testDriverContext } from "../../../src/testing/driver-context.ts";
import { startRealCloud } from "../../lab/openstack/real-cloud.ts";
import { openLab } from "../../lab/lab.ts";
import { account } from "./fake-keystone.ts";
import { play } from "./play.ts";
import { distinct, recordingHttp, type RecordedExchange } from "./recording.ts";
import { everything, prefixed, placelessComputer } from "./scene.ts";

const boundMs = 900_000;
const [, , ...words] = process.argv;
const at = words.indexOf("--at");
const say = (line: string): void => void process.stderr.write(`${line}\n`);

if (at === -1) {
  await using lab = await openLab();
  await playAt((await startRealCloud(lab, say)).authUrl);
} else {
  await playAt(words[at + 1] ?? "");
}

async function playAt(authUrl: string): Promise<void> {
  const exchanges: RecordedExchange[] = [];
  const http = recordingHttp(new HttpClient({ env: {}, clock: systemClock }), exchanges);
  const report = (event: { readonly type: string; readonly text?: string }): void => {
    if (event.type === "log") say(event.text ?? "");
  };
  await using made = await testDriverContext("web", { computer: placelessComputer, http, report });
  const flags = {
    ...prefixed({ "auth-url": authUrl, username: account.user, password: account.password, "tenant-name": account.project }),
    ...prefixed({ "flavor-name": "m1.small", "image-name": "debian-12-x86_64", ...everything, "active-timeout": 600 }),
  };
  try {
    await play(made.context, flags, AbortSignal.timeout(boundMs));
    say(`${exchanges.length} requests, and nothing is left`);
  } finally {
    const lines = distinct(exchanges).map((each) => JSON.stringify(each));
    const file = words.includes("--record") ? path.join(import.meta.dirname, "recordings.json") : "/tmp/recordings.json";
    await writeFile(file, `[\n${lines.join(",\n")}\n]\n`);
    say(`written to ${file}`);
  }
}
