/**
 * The docker client's own folder, as far as contexts go: where they are, and which one is current. Nothing else in its
 * config.json is touched. Facts of docker/cli (cli/context/store, cli/config/configfile).
 */
import { createHash } from "node:crypto";
import * as path from "node:path";
import { findMember, formatJson, jsonFrom, memberOf, parseJson, plainFrom, type JsonObject } from "../../gocompat/json.ts";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import { makePrivateDirectory, readRegularFileIfExists, readRegularFileNow, writeFileAtomic } from "../../system/files.ts";

/** `DOCKER_CONFIG`, else `~/.docker`. Throws `store-unusable` where neither is known. */
export function dockerConfigFolder({ env, homeDir, cwd }: Pick<Computer, "env" | "homeDir" | "cwd">): string {
  const given = env["DOCKER_CONFIG"] ?? "";
  if (given !== "") return path.resolve(cwd, given);
  if (homeDir !== undefined) return path.join(homeDir, ".docker");
  throw new MachineError("store-unusable", "No home directory is known, so there is no place for docker contexts", {
    hint: "Set HOME, or name the folder with DOCKER_CONFIG.",
  });
}

export interface ContextPaths {
  readonly metaFolder: string;
  readonly metaFile: string;
  readonly tlsFolder: string;
  /** Of the endpoint `docker`. */
  readonly certificates: string;
}

export function contextPaths(configFolder: string, contextName: string): ContextPaths {
  const id = createHash("sha256").update(contextName).digest("hex");
  const metaFolder = path.join(configFolder, "contexts", "meta", id);
  const tlsFolder = path.join(configFolder, "contexts", "tls", id);
  return { metaFolder, metaFile: path.join(metaFolder, "meta.json"), tlsFolder, certificates: path.join(tlsFolder, "docker") };
}

/** Where a context's docker endpoint is; undefined where there is no such context, or it says none that can be read. */
export async function endpointOf(
  computer: Pick<Computer, "env" | "homeDir" | "cwd">,
  contextName: string,
): Promise<string | undefined> {
  const { metaFile } = contextPaths(dockerConfigFolder(computer), contextName);
  try {
    const meta = JSON.parse(readRegularFileNow(metaFile) ?? "{}") as { Endpoints?: { docker?: { Host?: unknown } } };
    const host = meta.Endpoints?.docker?.Host;
    return typeof host === "string" ? host : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where none is chosen. Throws `store-unusable` for a config.json that is none. */
export async function currentContext(configFolder: string): Promise<string | undefined> {
  const found = findMember(await readConfig(configFolder), "currentContext");
  const name = found === undefined ? undefined : plainFrom(found);
  return typeof name === "string" && name !== "" ? name : undefined;
}

/** Makes a context the current one; undefined takes the choice back. Nothing is written where it is so already. */
export async function setCurrentContext(configFolder: string, contextName: string | undefined): Promise<void> {
  if ((await currentContext(configFolder)) === contextName) return;
  const config = await readConfig(configFolder);
  const others = (config?.members ?? []).filter(({ key }) => key !== "currentContext");
  const own = contextName === undefined ? [] : [memberOf("currentContext", jsonFrom(contextName))];
  await inDockerFolder(async () => {
    await makePrivateDirectory(configFolder);
    // As docker's own client writes it.
    await writeFileAtomic(configFile(configFolder), formatJson({ kind: "object", members: [...others, ...own] }, "\t"), 0o600);
  });
}

/** A change of docker's files. Throws `store-unusable` with what helps there: the folder is none of the store's. */
export async function inDockerFolder(change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!isMachineError(error, "store-unusable")) throw error;
    throw new MachineError(error.code, error.message, {
      cause: error,
      hint: "Check the owner and the permissions, or have docker's client use another folder: DOCKER_CONFIG.",
    });
  }
}

function configFile(configFolder: string): string {
  return path.join(configFolder, "config.json");
}

async function readConfig(configFolder: string): Promise<JsonObject | undefined> {
  const file = configFile(configFolder);
  const text = (await readRegularFileIfExists(file))?.toString("utf8");
  if (text === undefined || text.trim() === "") return undefined;
  try {
    const config = parseJson(text);
    if (config.kind === "object") return config;
  } catch (error) {
    throw notJson(file, messageOf(error));
  }
  throw notJson(file, "it is no object");
}

function notJson(file: string, why: string): MachineError {
  return new MachineError("store-unusable", `${file} cannot be read: ${why}`, { hint: "Correct it, or move it away." });
}
