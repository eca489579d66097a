/** Records of 0.16.2, Rancher's and GitLab's drivers of this name, made ones that this driver reads. */
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";

/** Where forks keep what has another name here. The stored keys stay beside it. */
const renamed = [
  ["EncryptEbsVolume", "VolumeEncrypted", "boolean"],
  ["MetadataTokenSetting", "HttpTokens", "string"],
  ["MetadataTokenResponseHopLimit", "HttpPutResponseHopLimit", "number"],
] as const;

/** What a record says nothing of was not asked for then: today's defaults are no facts about an older instance. */
const unsaid = { HttpTokens: "", HttpPutResponseHopLimit: 0, HttpProtocolIpv6: "", SpotInterruption: "" };

/**
 * A record without a ledger is of another tool, or was saved by one: what it made is in its own fields. A key pair that
 * the user named is the user's.
 */
export const upgrade: Upgrade = (stored) => {
  if (stored["Resources"] !== undefined) return stored;
  const { InstanceId, KeyName, ExistingKey } = stored;
  const made = [
    ...(isText(KeyName) && ExistingKey !== true && isText(InstanceId) ? [`key-pair=${KeyName}`] : []),
    ...(isText(InstanceId) ? [`instance=${InstanceId}`] : []),
  ];
  const values = renamed.flatMap(([from, to, kind]) =>
    typeof stored[from] === kind && stored[to] === undefined ? [[to, stored[from]]] : [],
  );
  const added = Object.entries({ ...unsaid, ...Object.fromEntries(values) }).filter(([key]) => stored[key] === undefined);
  return { ...stored, ...Object.fromEntries(added), Resources: made };
};

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
