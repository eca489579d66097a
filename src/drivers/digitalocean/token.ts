/** Where the API's token comes from: the flag, its variables, what `doctl auth init` has stored. */
import * as path from "node:path";
import { findCredential, type CredentialPlace, type FoundCredential } from "../../driver-kit/credentials.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import { readFileIfExists } from "../../system/files.ts";

/** Where tokens are made. */
export const tokenPage = "https://cloud.digitalocean.com/account/api/tokens";

const variables = ["DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN"];

/** @param recorded the record's field, perhaps with a mark in the secret's place */
export async function findToken(context: DriverContext, recorded: string, signal: AbortSignal): Promise<FoundCredential<string>> {
  const { env } = context.computer;
  const fromVariable = (name: string): CredentialPlace<string> => ({
    name,
    storable: false,
    look: async () => nonEmpty(env[name]),
  });
  const file = doctlFile(context.computer);
  const places: CredentialPlace<string>[] = [
    { name: "--digitalocean-access-token", storable: true, look: async () => nonEmpty(await context.reveal(recorded)) },
    ...variables.map(fromVariable),
    ...(file === undefined ? [] : [{ name: file, storable: false, look: async () => await doctlToken(file, env) }]),
  ];
  const wayOut = `Make a token at ${tokenPage} and put it into DIGITALOCEAN_ACCESS_TOKEN, or run doctl auth init.`;
  const found = await findCredential({ provider: "DigitalOcean", places, wayOut }, signal);
  context.secret(found.credential);
  // The record tells not whether the flag or its variable gave it.
  const variable = variables.find((name) => env[name] === found.credential);
  return { ...found, place: variable ?? found.place };
}

/** As doctl chooses it: Go's os.UserConfigDir, then its own folder. */
function doctlFile({ os, env, homeDir }: Computer): string | undefined {
  if (os === "windows") return env["APPDATA"] === undefined ? undefined : path.join(env["APPDATA"], "doctl", "config.yaml");
  if (homeDir === undefined) return undefined;
  const folder = os === "darwin" ? path.join(homeDir, "Library/Application Support") : nonEmpty(env["XDG_CONFIG_HOME"]);
  return path.join(folder ?? path.join(homeDir, ".config"), "doctl", "config.yaml");
}

interface DoctlConfig {
  readonly "access-token"?: unknown;
  readonly context?: unknown;
  readonly "auth-contexts"?: Readonly<Record<string, unknown>> | null;
}

/** `default` is the token outside of the contexts. Throws `provider-credentials` for a file that tells none where one is meant. */
async function doctlToken(file: string, env: Computer["env"]): Promise<string | undefined> {
  const bytes = await readFileIfExists(file);
  if (bytes === undefined) return undefined;
  const config = await parseDoctl(bytes.toString("utf8"), file);
  const chosen = nonEmpty(env["DIGITALOCEAN_CONTEXT"]);
  const name = chosen ?? (typeof config.context === "string" ? config.context : "default");
  const token = name === "default" ? config["access-token"] : config["auth-contexts"]?.[name];
  if (typeof token === "string" && token !== "") return token;
  if (name === "default") return undefined;
  throw new MachineError("provider-credentials", `${file} has no token of the context ${JSON.stringify(name)}`, {
    hint: `Run doctl auth init --context ${name}, or choose another by DIGITALOCEAN_CONTEXT.`,
  });
}

async function parseDoctl(text: string, file: string): Promise<DoctlConfig> {
  try {
    const { parse } = await import("yaml");
    const value: unknown = parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // The parser quotes the lines it complains about, and a token may be in them.
    throw new MachineError("provider-credentials", `${file} is not YAML, so no token can be read from it`, {
      hint: "Mend it, or run doctl auth init again.",
    });
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
