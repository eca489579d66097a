import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeComputer } from "../cli/testing/fake-computer.ts";
import { reportNothing } from "../log/event.ts";
import { assemble } from "./assemble.ts";

test("a driver is looked up once in a context, also by those who ask at the same time", async () => {
  const context = assemble({ computer: fakeComputer({}), storePath: "/nowhere", reportFor: () => reportNothing });
  for (const name of ["none", "no-such-plugin"]) {
    const [first, second] = await Promise.all([context.findDriver(name), context.findDriver(name)]);
    assert.equal(first, second);
    assert.equal(await context.findDriver(name), first);
  }
});
