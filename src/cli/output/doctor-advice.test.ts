import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MachineError } from "../../errors/machine-error.ts";
import { SeveralFailedError } from "../../machine/many.ts";
import { CreationError } from "../../machine/creation-error.ts";
import { FakeRun } from "../testing/fake-main.ts";

const refused = new MachineError("ssh-unreachable", "Nothing listens", { hint: "Check the port." });
const closed = new MachineError("engine-timeout", "i/o timeout");
const told = new MachineError("engine-unreachable", "refused", { hint: "See why with: docker-machine doctor web" });
const gone = new MachineError("machine-not-found", "no such machine");
const several = new SeveralFailedError(
  [
    { name: "a", error: refused },
    { name: "b", error: gone },
    { name: "c", error: closed },
  ],
  4,
);

async function shown(words: readonly string[], error: unknown, env: Record<string, string> = {}): Promise<string> {
  const fail = async (): Promise<never> => {
    throw error;
  };
  return (await new FakeRun({ env, code: { [words[0] ?? ""]: fail } }).main(...words)).stderr;
}

describe("errors of machines", () => {
  it("end with the doctor as the way out, where it knows more", async () => {
    for (const [words, error, text] of [
      [
        ["ssh", "web", "uptime"],
        refused,
        "Nothing listens\nHint: Check the port. See what else is wrong with: docker-machine doctor web\n",
      ],
      [["provision", "web"], closed, "i/o timeout\nHint: See why with: docker-machine doctor web\n"],
      [["url"], closed, "i/o timeout\nHint: See why with: docker-machine doctor default\n"],
      [["scp", "x", "me@web:/y"], closed, "i/o timeout\nHint: See why with: docker-machine doctor web\n"],
      [["stop", "--filter", "name=a b"], closed, "i/o timeout\nHint: See why with: docker-machine doctor --filter 'name=a b'\n"],
      [["start", "--all"], closed, "i/o timeout\nHint: See why with: docker-machine doctor --all\n"],
      [["ssh", "web"], told, "refused\nHint: See why with: docker-machine doctor web\n"],
      [["wait", "web"], new MachineError("timeout", "not ready"), "not ready\nHint: See why with: docker-machine doctor web\n"],
      [["ip", "web"], gone, "no such machine\n"],
      [["doctor", "web"], closed, "i/o timeout\n"],
      [["ls"], closed, "i/o timeout\n"],
      [["apply"], new CreationError("ssh-unreachable", "Error creating machine"), "Error creating machine\n"],
    ] as const)
      assert.equal(await shown(words, error), text, words.join(" "));
  });

  it("of several machines leave out those whose create failed", async () => {
    const failed = new SeveralFailedError(
      [{ name: "new", error: new CreationError("ssh-unreachable", "x") }, ...several.failed],
      4,
    );
    assert.match(await shown(["apply"], failed), /\nHint: See why with: docker-machine doctor a c\n$/u);
  });

  it("of several machines name in the end all whom it is for", async () => {
    assert.match(
      await shown(["start", "a", "b", "c", "d"], several),
      /\(c\) i\/o timeout\nHint: See why with: docker-machine doctor a c\n$/u,
    );
  });

  it("say it in JSON too, and nothing of it with 0.16.2's texts", async () => {
    const line = JSON.parse(await shown(["url", "web", "--output", "json"], refused)) as { hint: string };
    assert.equal(line.hint, "Check the port. See what else is wrong with: docker-machine doctor web");
    assert.equal(await shown(["url", "web"], refused, { MACHINE_COMPAT: "0.16" }), "Nothing listens\n");
  });
});
