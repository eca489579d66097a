/**
 * XML as vSphere speaks it: a tree of elements with their namespaces resolved, and elements written. `saxes` reads, because
 * answers bind the namespace of `xsi:type` to other prefixes and give one element both a `type` and an `xsi:type`.
 */
import { MachineError } from "../../../errors/machine-error.ts";

const xsi = "http://www.w3.org/2001/XMLSchema-instance";

export interface XmlElement {
  /** Without a prefix. */
  readonly name: string;
  /** Of `xsi:type`, without a prefix: the type where the schema leaves it open. */
  readonly xsiType: string | undefined;
  /** Of `type`, which references to managed objects have. */
  readonly type: string | undefined;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface Growing extends XmlElement {
  readonly children: Growing[];
  text: string;
}

export type XmlParser = (text: string) => XmlElement;

/** Loads the parser, with the first request. It throws `provider-error` for what is no XML. */
export async function loadXmlParser(): Promise<XmlParser> {
  const { SaxesParser } = await import("saxes");
  return (text) => {
    const parser = new SaxesParser({ xmlns: true });
    const open: Growing[] = [];
    let root: Growing | undefined;
    parser.on("opentag", ({ local, attributes }) => {
      const all = Object.values(attributes);
      const typeOf = (uri: string): string | undefined => all.find((one) => one.local === "type" && one.uri === uri)?.value;
      const element: Growing = {
        name: local,
        xsiType: typeOf(xsi)?.replace(/^.*:/u, ""),
        type: typeOf(""),
        children: [],
        text: "",
      };
      open.at(-1)?.children.push(element);
      root ??= element;
      open.push(element);
    });
    parser.on("text", (part) => {
      const element = open.at(-1);
      if (element !== undefined) element.text += part;
    });
    parser.on("cdata", (part) => {
      const element = open.at(-1);
      if (element !== undefined) element.text += part;
    });
    parser.on("closetag", () => void open.pop());
    try {
      parser.write(text).close();
    } catch (error) {
      throw strange(error);
    }
    return root ?? strangeAnswer();
  };
}

function strangeAnswer(): never {
  throw strange(undefined);
}

function strange(cause: unknown): MachineError {
  return new MachineError("provider-error", "The answer of vSphere makes no sense: it is not XML", {
    hint: "Check --vmwarevsphere-vcenter: something else may answer there, such as a proxy or a login page.",
    cause,
  });
}

/** The first child, or descendant by path, of these names. */
export function childOf(element: XmlElement | undefined, ...names: readonly string[]): XmlElement | undefined {
  return names.reduce<XmlElement | undefined>((one, name) => one?.children.find((child) => child.name === name), element);
}

export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** "" where there is none. */
export function textOf(element: XmlElement | undefined, ...names: readonly string[]): string {
  return childOf(element, ...names)?.text ?? "";
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" };

/** Characters that XML 1.0 has no way to write are left out. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replaceAll(/[&<>"\r]/gu, (character) => entities[character] ?? "");
}
