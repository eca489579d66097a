/**
 * Programs that only say how they were called: for command lines of systems that are not at hand. Each is a shell
 * script in a folder for the front of PATH; its calls end up in one log.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

export class StandIns implements Disposable {
  /** Scratch folder: `bin` for the programs, the rest is the test's. */
  readonly folder = mkdtempSync(path.join(tmpdir(), "stand-ins-"));

  /** `body` is shell; `$calls` counts the calls of this program, from 1. */
  add(name: string, body = ""): this {
    const log = path.join(this.folder, "log");
    const file = path.join(this.folder, name);
    const head = `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> ${log}\ncalls=$(grep -c '^${name} ' ${log})\n`;
    writeFileSync(file, `${head}${body}\n`);
    chmodSync(file, 0o755);
    return this;
  }

  /** Command lines in the order they came. */
  get calls(): readonly string[] {
    try {
      return readFileSync(path.join(this.folder, "log"), "utf8").trimEnd().split("\n");
    } catch {
      return [];
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
