/** What an engine takes for the name of an image (the grammar of distribution/reference). Pure. */

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const registry = `(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?`;
const part = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const name = new RegExp(`^(?:${registry}/)?${part}(?:/${part})*(?::${tag})?(?:@${digest})?$`, "u");

const longest = 255;

/** Whether the engine would look for it; an id is one too. */
export function isImageName(text: string): boolean {
  return text.length <= longest && name.test(text);
}
