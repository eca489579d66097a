/**
 * Where a docker client goes that is started in this shell, and whether that is a machine's engine. Prompts ask, so next to
 * nothing is loaded where no context is chosen.
 */
import { absolutePath } from "../../system/absolute-path.ts";
import type { Computer } from "../../system/computer.ts";
import { readSmallFile } from "../../system/small-file.ts";
import { sshAliasOf } from "../host/engine-transport.ts";

type Shell = Pick<Computer, "env" | "homeDir" | "cwd">;

/** `DOCKER_HOST`, else the endpoint of the context that is chosen; "" where it is the client's own default. */
export async function clientHost(shell: Shell): Promise<string> {
  const given = shell.env["DOCKER_HOST"] ?? "";
  if (given !== "") return given;
  const name = shell.env["DOCKER_CONTEXT"] || (await chosenByFile(shell));
  if (name === undefined || name === "default") return "";
  return (await (await import("./docker-config.ts")).endpointOf(shell, name)) ?? "";
}

/** What cannot be read chooses none: it is docker's own to complain of that. */
async function chosenByFile({ env, homeDir, cwd }: Shell): Promise<string | undefined> {
  const folder = env["DOCKER_CONFIG"] || (homeDir === undefined ? ".docker" : `${homeDir}/.docker`);
  const text = (await readSmallFile(absolutePath(cwd, `${folder}/config.json`))) ?? "";
  if (!text.includes('"currentContext"')) return undefined;
  try {
    const { currentContext } = JSON.parse(text) as { readonly currentContext?: unknown };
    return typeof currentContext === "string" && currentContext !== "" ? currentContext : undefined;
  } catch {
    return undefined;
  }
}

/** @param url the engine's, as it is recorded */
export function isEngineAt(url: string, machineName: string, dockerHost: string): boolean {
  return url === dockerHost || isAliasOf(machineName, dockerHost);
}

/** The machine whose entry of ssh_config a DOCKER_HOST names: `ssh://NAME.docker-machine`. */
export function isAliasOf(machineName: string, dockerHost: string): boolean {
  const [, host] = /^ssh:\/\/(?:[^@/]*@)?([^@/:]+)(?::\d+)?\/?$/u.exec(dockerHost) ?? [];
  return host === sshAliasOf(machineName);
}
