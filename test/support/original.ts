/** 0.16.2's own program, where one is on PATH as `docker-machine-go`. */
import { spawnSync } from "node:child_process";

/** "" where there is none. */
export const original = spawnSync("sh", ["-c", "command -v docker-machine-go"], { encoding: "utf8" }).stdout.trim();

/** Why what needs it is skipped. */
export const originalMissing: string | false = original === "" && "no docker-machine-go on PATH";
