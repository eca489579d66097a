/** Records of 0.16.2, Rancher's and GitLab's Docker Machine, as this driver reads them. What they hold is left as it is. */
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";
import { wordsInPairs } from "../../driver-kit/given-options.ts";

type Stored = Readonly<Record<string, unknown>>;

/**
 * A record without a ledger is another tool's, or was saved by one: what it made bears the machine's name. What it took
 * over stays its owner's. Their keys of other types than ours are read into keys of our own: labels are a text for
 * Rancher's and a list for GitLab's, metadata are objects.
 */
export const upgrade: Upgrade = (stored) => ({
  ...stored,
  ...(stored["Resources"] === undefined ? { Resources: madeBefore(stored) } : {}),
  ...taken(stored, "VmLabels", () => labelsOf(stored["Labels"])),
  ...taken(stored, "MetadataItems", () => pairsOf(stored["Metadata"])),
  ...taken(stored, "MetadataFiles", () => pairsOf(stored["MetadataFromFile"])),
});

function taken(stored: Stored, key: string, read: () => readonly string[]): Stored {
  return stored[key] === undefined ? { [key]: read() } : {};
}

function madeBefore({ MachineName, UseExisting, Project }: Stored): readonly string[] {
  if (UseExisting === true || typeof MachineName !== "string" || (Project ?? "") === "") return [];
  return [`instance=${MachineName}`, `disk=${MachineName}-disk`];
}

function labelsOf(labels: unknown): readonly string[] {
  if (typeof labels === "string") {
    const parts = labels.split(",").map((part) => part.trim());
    return wordsInPairs(parts).flatMap(([key, value]) => (key === "" ? [] : [`${key}=${value}`]));
  }
  if (!Array.isArray(labels)) return [];
  return labels.flatMap((label) => (typeof label === "string" ? [label.replace(":", "=")] : []));
}

function pairsOf(object: unknown): readonly string[] {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return [];
  return Object.entries(object).map(([key, value]) => `${key}=${String(value)}`);
}
