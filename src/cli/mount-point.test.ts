import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import type { MachineContext } from "../machine/machine-context.ts";
import { requireFreeMountPoint } from "./mount-point.ts";
import { fakeComputer } from "./testing/fake-computer.ts";

const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-mount-"));
after(() => rmSync(folder, { recursive: true }));
for (const name of ["home/.ssh", "home/free", "stores/one/machines/web", "keys"])
  mkdirSync(path.join(folder, name), { recursive: true });
symlinkSync("home", path.join(folder, "link"));

const home = path.join(folder, "home");
const root = path.join(folder, "stores/one");
const context = {
  computer: fakeComputer({ homeDir: home, cwd: home }),
  store: { root },
} as unknown as Pick<MachineContext, "computer" | "store">;
const target = {
  identityFile: path.join(folder, "keys/id"),
  hostKeys: { alias: "web", knownHostsFile: path.join(root, "machines/web/known_hosts"), unknown: "refuse" },
} as const;

test("nothing is mounted over what leads to the machine", async () => {
  for (const [mountPoint, what] of [
    [home, "your home"],
    [".", "your home"],
    ["/", "your home"],
    [folder, "your home"],
    [path.join(folder, "link"), "your home"],
    [".ssh", "your settings of ssh"],
    [root, "the store"],
    [path.dirname(root), "the store"],
    [path.join(root, "machines"), "the machine's folder in the store"],
    [path.join(folder, "keys"), "the key that opens the machine"],
  ] as const)
    await assert.rejects(requireFreeMountPoint(context, target, mountPoint), (error: Error) => {
      assert.ok(error.message.startsWith(`Nothing can be mounted at ${mountPoint}: it would cover ${what} (`), error.message);
      return true;
    });
});

test("beside it, and where there is nothing yet, is as free as sshfs finds it", async () => {
  for (const mountPoint of ["free", path.join(folder, "home2"), path.join(folder, "not/there"), path.join(root, "cache")])
    await requireFreeMountPoint(context, target, mountPoint);
});
