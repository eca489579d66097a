/** A container that notes the time five times a second: whether it was ever stopped, started again or held up. */
import assert from "node:assert/strict";
import { tinyImageTar } from "../lab/tiny-image.ts";
import type { LabHost } from "../lab/lab.ts";

export interface Ticker {
  /** It is the same process of the same container, and no gap is in its notes since the last time this was asked. */
  assertUndisturbed(during: string): Promise<void>;
}

/** A busy computer holds up a sleep of 0.2 s; a container that was stopped and started misses more than this. */
const longestGapSeconds = 1.5;

/** Starts the container on a host with an engine. No restart policy: one that was stopped stays so. */
export async function startTicker(host: LabHost): Promise<Ticker> {
  const tick = "while :; do cat /proc/uptime >> /ticks; sleep 0.2; done";
  await host.sh(`
    docker image inspect tiny > /dev/null 2>&1 || docker import ${tinyImageTar} tiny > /dev/null
    docker run --detach --name ticker tiny sh -c "${tick}"
    timeout 30 sh -c 'until [ -n "$(docker exec ticker cat /ticks)" ]; do sleep 0.1; done'`);
  const identify = (): Promise<string> =>
    host.sh("docker inspect -f '{{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{.State.Status}} {{.RestartCount}}' ticker");
  const readTicks = async (): Promise<number[]> =>
    (await host.sh("docker exec ticker cat /ticks")).split("\n").map((line) => Number.parseFloat(line));
  const first = await identify();
  let seen = 1;
  return {
    async assertUndisturbed(during) {
      assert.equal(await identify(), first, during);
      const ticks = await readTicks();
      assert.ok(ticks.length > seen, `${during}: it stands still at ${ticks.length} ticks`);
      const gaps = ticks.slice(seen).map((tick, index) => tick - (ticks[seen + index - 1] as number));
      assert.ok(Math.max(...gaps) < longestGapSeconds, `${during}: a gap of ${Math.max(...gaps).toFixed(1)} s`);
      seen = ticks.length;
    },
  };
}
