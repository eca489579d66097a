/**
 * For scripts/test.ts: keeps the lab's engine up between test files, with all images built beforehand. Says "ready", and
 * goes when standard input ends.
 */
import { labUnavailableReason, openLab } from "./lab.ts";
import { recipes } from "./recipes.ts";

if ((await labUnavailableReason()) === undefined) {
  await using lab = await openLab();
  await lab.build(Object.keys(recipes));
  await untilTold();
} else {
  await untilTold();
}

async function untilTold(): Promise<void> {
  console.log("ready");
  for await (const _ of process.stdin);
}
