/** For `node --test --test-global-setup`: keeps the lab's engine up between test files, with all images built beforehand. */
import { labUnavailableReason, openLab, type Lab } from "./lab.ts";
import { recipes } from "./recipes.ts";

let lab: Lab | undefined;

export async function globalSetup(): Promise<void> {
  if ((await labUnavailableReason()) !== undefined) return;
  lab = await openLab();
  await lab.build(Object.keys(recipes));
}

export async function globalTeardown(): Promise<void> {
  await lab?.close();
}
