/** Records and texts that the tests of the store work with. */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { HostRecord } from "../host-record.ts";
import { zeroHostOptions } from "../record-fields.ts";

const projectRoot = path.resolve(import.meta.dirname, "../../..");

/** A config.json that 0.16.2 wrote. */
export function goldenText(machine: string): string {
  return readFileSync(path.join(projectRoot, "test/golden/store/machines", machine, "config.json"), "utf8");
}

export const goldenMachines = ["alpha", "beta2", "beta10", "master"];

/** A config.json of an older version. */
export function fixtureText(name: string): string {
  return readFileSync(path.join(projectRoot, "test/fixtures/store", `${name}.json`), "utf8");
}

export function newRecord(name: string, change: Partial<HostRecord> = {}): HostRecord {
  return { name, driverName: "none", driverConfigText: '{"IPAddress":""}', hostOptions: zeroHostOptions(), extra: {}, ...change };
}
