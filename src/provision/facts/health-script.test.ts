/** What the doctor's script tells of SELinux, whose files lie in a scratch folder here: this computer's kernel need not have it. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { runShell, shells } from "../../../test/support/shells.ts";
import { StandIns } from "../../../test/support/stand-ins.ts";
import { scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh } from "../shell/shell-text.ts";
import { healthScript } from "./health-script.ts";
import { lookingFunctions } from "./probe-script.ts";

const label = "system_u:object_r:default_t:s0";

for (const shell of shells) {
  for (const [what, module, told] of [
    ["a policy for containers", "container", "yes"],
    ["a policy for containers of old", "docker", "yes"],
    ["a policy without containers", "sshd", "no"],
  ] as const) {
    test(`${what} is told, and the label of the engine's data, in ${shell.join(" ")}`, () => {
      using standIns = new StandIns();
      const modules = path.join(standIns.folder, "var/lib/selinux/targeted/active/modules/100");
      mkdirSync(path.join(modules, module), { recursive: true });
      mkdirSync(path.join(modules, "base"));
      mkdirSync(path.join(standIns.folder, "sys/fs/selinux"), { recursive: true });
      writeFileSync(path.join(standIns.folder, "sys/fs/selinux/enforce"), "1");
      const script = joinLines(
        scriptPrelude,
        lookingFunctions(1_000),
        healthScript({ registry: false }),
        // As a function: to busybox its own stat comes before one on PATH.
        sh`stat() { [ "$3" = /data ] && echo ${label}; }
answered='{"ID":"x","DockerRootDir":"/data","Driver":"overlay2"}'
probe_selinux`,
      ).text.replaceAll(/\/(?=(?:sys\/fs|var\/lib|etc)\/selinux)/gu, `${standIns.folder}/`);
      const { stdout } = runShell(shell, script);
      assert.deepEqual(
        stdout.split("\n").filter((line) => line.startsWith("@fact")),
        [`@fact\tselinux-containers\t${told}`, `@fact\tselinux-data\t${label}`],
      );
    });
  }
}
