/** Which subscription, and which resource manager. */
import * as path from "node:path";
import type { Computer } from "../../system/computer.ts";
import { readFileIfExists } from "../../system/files.ts";
import { cloudNamed } from "./clouds.ts";
import type { AzureConfig } from "./options.ts";

export function managerUrl({ Endpoint, Environment }: Pick<AzureConfig, "Endpoint" | "Environment">): string {
  return (Endpoint === "" ? cloudNamed(Environment).manager : Endpoint).replace(/\/+$/u, "");
}

/** The subscription that `az account set` has chosen; "" where there is none. */
export async function chosenByAz({ env, homeDir }: Computer): Promise<string> {
  const folder = env["AZURE_CONFIG_DIR"] ?? (homeDir === undefined ? undefined : path.join(homeDir, ".azure"));
  const bytes = folder === undefined ? undefined : await readFileIfExists(path.join(folder, "azureProfile.json"));
  try {
    // az writes it with a byte order mark.
    const profile = JSON.parse((bytes?.toString("utf8") ?? "{}").replace(/^\uFEFF/u, "")) as Profile;
    const id = profile.subscriptions?.find(({ isDefault }) => isDefault === true)?.id;
    return typeof id === "string" ? id : "";
  } catch {
    return "";
  }
}

interface Profile {
  readonly subscriptions?: readonly { readonly id?: unknown; readonly isDefault?: unknown }[];
}
