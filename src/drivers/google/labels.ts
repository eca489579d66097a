/** Labels and metadata as the flags and the records of three tools spell them. No I/O. */
import { wordsInPairs, wrongOptions } from "../../driver-kit/given-options.ts";

/** `key=value` texts from Rancher's `k,v,k,v` and GitLab's `k:v`. Throws `driver-options`. */
export function labelsFromFlags(commaText: string, colonList: readonly string[]): readonly string[] {
  return [...fromCommas(commaText), ...colonList.map((label) => fromColon(label))];
}

function fromCommas(given: string): readonly string[] {
  if (given.trim() === "") return [];
  const parts = given.split(",").map((part) => part.trim());
  if (parts.length % 2 !== 0)
    throw wrongOptions(
      `--google-vm-labels ${JSON.stringify(given)} has a key without a value`,
      "Write pairs, as key,value,key,value.",
    );
  return wordsInPairs(parts).map(([key, value]) => `${key}=${value}`);
}

function fromColon(label: string): string {
  const at = label.indexOf(":");
  if (at > 0) return `${label.slice(0, at)}=${label.slice(at + 1)}`;
  throw wrongOptions(`--google-label ${JSON.stringify(label)} has no value`, "Write it as key:value.");
}

const keyPattern = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const valuePattern = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
/** 64 a resource, of which one is the mark. */
const mostLabels = 63;

/** As the API has them. Throws `driver-options` for what Google would refuse. */
export function parseLabels(labels: readonly string[]): Readonly<Record<string, string>> {
  const pairs = labels.map((label) => [label.slice(0, label.indexOf("=")), label.slice(label.indexOf("=") + 1)] as const);
  const bad = pairs.find(([key, value]) => !keyPattern.test(key) || !valuePattern.test(value));
  if (bad !== undefined)
    throw wrongOptions(
      `Google takes no label ${JSON.stringify(bad.join(":"))}`,
      "Keys and values have lower-case letters, digits, _ and -, at most 63 of them; a key begins with a letter.",
    );
  if (pairs.length > mostLabels)
    throw wrongOptions(
      `${pairs.length} labels are too many: Google takes ${mostLabels} and ours`,
      "Give fewer with --google-label and --google-vm-labels.",
    );
  return Object.fromEntries(pairs);
}

/** `key=value` texts as pairs; the value may hold further signs of equality. Throws `driver-options`. */
export function parsePairs(flag: string, given: readonly string[]): readonly (readonly [key: string, value: string])[] {
  return given.map((pair) => {
    const at = pair.indexOf("=");
    const key = pair.slice(0, Math.max(at, 0));
    if (/^[a-zA-Z0-9_-]{1,128}$/u.test(key)) return [key, pair.slice(at + 1)] as const;
    throw wrongOptions(
      `--${flag} ${JSON.stringify(key)} is no pair whose key Google takes`,
      "Write it as key=value; keys have letters, digits, _ and -.",
    );
  });
}
