import assert from "node:assert/strict";
import { test } from "node:test";
import { testDriverContext } from "../../testing/driver-context.ts";
import { thisComputer } from "../../system/computer.ts";
import { chooseAccelerator } from "./accelerator.ts";
import type { Accelerator } from "./qemu-arguments.ts";

/** A computer whose candidate needs no device file. */
const computer = { ...thisComputer(), os: "darwin" as const };

async function choose(
  results: readonly boolean[],
  versions: readonly string[],
): Promise<{ readonly chosen: Accelerator[]; readonly probed: Accelerator[]; readonly warnings: string[] }> {
  await using given = await testDriverContext("web", { computer });
  const probed: Accelerator[] = [];
  const chosen: Accelerator[] = [];
  for (const version of versions) {
    chosen.push(
      await chooseAccelerator(given.context, version, async (accelerator) => {
        probed.push(accelerator);
        return results[probed.length - 1] ?? false;
      }),
    );
  }
  const warnings = given.events.flatMap((event) => (event.type === "log" && event.level === "warn" ? [event.text] : []));
  return { chosen, probed, warnings };
}

test("an accelerator that boots a kernel is taken, and tried once", async () => {
  assert.deepEqual(await choose([true], ["9.0", "9.0"]), { chosen: ["hvf", "hvf"], probed: ["hvf"], warnings: [] });
});

test("one that is there and does not boot a kernel is passed over, said once and remembered", async () => {
  const { chosen, probed, warnings } = await choose([false], ["9.0", "9.0"]);
  assert.deepEqual([chosen, probed], [["tcg", "tcg"], ["hvf"]]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /HVF is there but does not boot a kernel/u);
});

test("another QEMU is tried anew", async () => {
  const { chosen, probed } = await choose([false, true], ["9.0", "9.1"]);
  assert.deepEqual(
    [chosen, probed],
    [
      ["tcg", "hvf"],
      ["hvf", "hvf"],
    ],
  );
});
