/**
 * Texts of a store's files that another computer can use: what begins with the store's folder begins with `{{store}}`
 * there. Strings of JSON alone are looked at; all else, numbers' spelling and the keys' order included, stays. Pure.
 */
import * as path from "node:path";
import { formatJson, parseJson } from "../gocompat/json.ts";
import { mapStrings, partsBelow } from "./json-paths.ts";

const here = "{{store}}";
/** What is spelled like that already, with any number of braces before it, gets one more. */
const literal = /^\{*\{\{store\}\}/u;
const escaped = /^\{+\{\{store\}\}/u;

/** @param text JSON. Throws `JsonSyntaxError`. */
export function portableText(text: string, storeRoot: string): string {
  return inJson(text, (value) => {
    if (literal.test(value)) return `{${value}`;
    const parts = partsBelow(value, storeRoot);
    return parts === undefined ? value : [here, ...parts].join("/");
  });
}

/** The text as it is in the store at `storeRoot`. Throws `JsonSyntaxError`. */
export function localText(text: string, storeRoot: string): string {
  return inJson(text, (value) => {
    if (escaped.test(value)) return value.slice(1);
    const parts = partsBelow(value, here);
    return parts === undefined ? value : path.join(storeRoot, ...parts);
  });
}

function inJson(text: string, change: (value: string) => string): string {
  return formatJson(mapStrings(parseJson(text), change));
}
