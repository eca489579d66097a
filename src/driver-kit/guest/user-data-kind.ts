/** What a user's own user data is, told as cloud-init tells it: by how it begins. No YAML is parsed. */

/** `document`: several parts already. `alone`: nothing cloud-init would join with ours. */
export type UserDataKind =
  | { readonly form: "part"; readonly type: string }
  | { readonly form: "document" }
  | { readonly form: "empty" }
  | { readonly form: "alone" };

/** Beginnings and their types, a longer one before its own beginning. */
const beginnings: readonly (readonly [string, string])[] = [
  ["#cloud-config-archive", "text/cloud-config-archive"],
  ["#cloud-config-jsonp", "text/cloud-config-jsonp"],
  ["#cloud-config", "text/cloud-config"],
  ["#cloud-boothook", "text/cloud-boothook"],
  ["#part-handler", "text/part-handler"],
  ["#include-once", "text/x-include-once-url"],
  ["#include", "text/x-include-url"],
  ["## template: jinja", "text/jinja2"],
  ["#!", "text/x-shellscript"],
];

/** cloud-init looks no further for the header that makes a document of several parts. */
const headBytes = 4096;

export function kindOfUserData(data: Uint8Array): UserDataKind {
  const head = Buffer.from(data.subarray(0, headBytes)).toString("latin1");
  if (Buffer.from(data).toString("latin1").trim() === "") return { form: "empty" };
  const begun = head.toLowerCase();
  const found = beginnings.find(([beginning]) => begun.startsWith(beginning));
  if (found !== undefined) return { form: "part", type: found[1] };
  return /^mime-version:/imu.test(head) || /^content-type:/iu.test(head) ? { form: "document" } : { form: "alone" };
}

/** Whether Ignition, which knows nothing of cloud-init, reads it. */
export function isIgnition(data: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString("utf8"));
    return typeof value === "object" && value !== null && "ignition" in value;
  } catch {
    return false;
  }
}

/** Whether it has host keys of its own, or keeps those of the image: seen in its text, wherever it stands there. */
export function settlesHostKeys(data: Uint8Array): boolean {
  const text = withoutComments(Buffer.from(data).toString("utf8"));
  return (
    /(?:^|[\s{,])["']?ssh_keys["']?\s*:/mu.test(text) ||
    /(?:^|[\s{,])["']?ssh_deletekeys["']?\s*:\s*["']?(?:false|no|off)\b/imu.test(text)
  );
}

/** Whether a cloud-config's `users` is not a list: cloud-init takes names and maps too, but joins lists only. */
export function hasUnlistedUsers(data: Uint8Array): boolean {
  const lines = withoutComments(Buffer.from(data).toString("utf8"))
    .split("\n")
    .filter((line) => line.trim() !== "");
  const at = lines.findIndex((line) => /^["']?users["']?\s*:/u.test(line));
  if (at === -1) return false;
  const value = lines[at]?.replace(/^[^:]*:\s*/u, "").trim() ?? "";
  const first = value === "" ? (lines[at + 1]?.trim() ?? "") : value;
  return !/^(?:\[|-(?:\s|$)|[&*!])/u.test(first);
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*#.*$/gmu, "");
}
