/** Folders that live as long as a test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after } from "node:test";

/** A new folder of its own, removed with all its contents when the test file has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-test-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
