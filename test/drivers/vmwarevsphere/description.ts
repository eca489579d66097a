/**
 * vSphere's own description of its types and methods, as the library generated it from the WSDL (`vim25/types/types.go`):
 * members in the order of the schema, those of a base type first. Requests are held against it: real vCenters insist on the
 * order, and the simulator does not.
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { XmlElement } from "../../../src/drivers/vmwarevsphere/api/xml.ts";
import { librarySources } from "./vcsim.ts";

interface Member {
  readonly name: string;
  /** Go's name of its type, without pointers and lists. */
  readonly type: string;
  readonly isRequired: boolean;
  readonly isList: boolean;
  /** Its type is open: an element must say which one it is. */
  readonly isOpen: boolean;
}

export class Description {
  readonly #memberLists = new Map<string, readonly Member[]>();
  readonly #structs = new Map<string, readonly string[]>();
  readonly #requests = new Map<string, string>();

  static #loaded: Description | undefined;

  /** Read once for the process: it is large. */
  static load(): Description {
    Description.#loaded ??= new Description(readFileSync(path.join(librarySources, "vim25/types/types.go"), "utf8"));
    return Description.#loaded;
  }

  constructor(source: string) {
    for (const [, name = "", body = ""] of source.matchAll(/^type (\w+) struct \{\n(.*?)^\}/gmsu))
      this.#structs.set(
        name,
        body
          .split("\n")
          .map((line) => line.trim())
          .filter((line) => line !== ""),
      );
    for (const [, method = "", request = ""] of source.matchAll(/^type (\w+) (\w+RequestType)$/gmu))
      this.#requests.set(method, request);
  }

  /** What is wrong with a method's element; undefined where nothing is. */
  problemOf(call: XmlElement): string | undefined {
    const request =
      this.#requests.get(call.name) ?? (this.#structs.has(`${call.name}RequestType`) ? `${call.name}RequestType` : "");
    if (request === "") return `${call.name} is no method`;
    return this.#problem(call, request, call.name);
  }

  #members(type: string): readonly Member[] {
    const known = this.#memberLists.get(type) ?? this.#readMembers(type);
    this.#memberLists.set(type, known);
    return known;
  }

  #readMembers(type: string): readonly Member[] {
    return (this.#structs.get(type) ?? []).flatMap((line) => {
      const field = /^(\w+)\s+(\S+)\s+`xml:"([\w_]+)((?:,\w+)*)"`/u.exec(line);
      if (field === null) return /^\w+$/u.test(line) ? this.#members(line) : [];
      const [, , goType = "", name = "", flags = ""] = field;
      const isOpen = flags.includes("typeattr");
      return [
        {
          name,
          type: goType.replace(/^(?:\[\]|\*)+/u, "").replace(isOpen ? /^Base/u : /^$/u, ""),
          isRequired: !flags.includes("omitempty") && !goType.startsWith("*"),
          isList: goType.startsWith("[]"),
          isOpen,
        },
      ];
    });
  }

  #problem(element: XmlElement, type: string, where: string): string | undefined {
    const members = this.#members(type);
    if (!this.#structs.has(type)) return undefined;
    let last = -1;
    for (const child of element.children) {
      const at = members.findIndex(({ name }) => name === child.name);
      const member = members[at];
      if (member === undefined) return `${where} has no member ${child.name}`;
      if (at < last) return `${where}: ${child.name} stands behind ${members[last]?.name}`;
      if (at === last && !member.isList) return `${where}: ${child.name} stands there twice`;
      last = at;
      const inner = this.#problemOfMember(child, member, `${where}.${child.name}`);
      if (inner !== undefined) return inner;
    }
    const missing = members.find(
      ({ name, isRequired, isList }) => isRequired && !isList && !element.children.some((child) => child.name === name),
    );
    return missing === undefined ? undefined : `${where} lacks ${missing.name}`;
  }

  #problemOfMember(child: XmlElement, member: Member, where: string): string | undefined {
    if (member.type === "ManagedObjectReference") {
      if (child.type === undefined) return `${where} has no type of its object`;
      return child.text === "" || child.text === "undefined" ? `${where} names no object` : undefined;
    }
    if (member.isOpen && child.xsiType === undefined) return `${where} does not say its xsi:type`;
    if (!member.isOpen && child.xsiType !== undefined && child.xsiType !== member.type)
      return `${where} is a ${member.type}, not a ${child.xsiType}`;
    const type = member.isOpen ? (child.xsiType ?? "") : member.type;
    if (member.isOpen && member.type !== "AnyType" && !this.#extends(type, member.type))
      return `${where}: ${type} is no ${member.type}`;
    if (child.text.trim() === "NaN" || child.text.trim() === "undefined") return `${where} is ${child.text}`;
    return this.#problem(child, type, where);
  }

  #extends(type: string, base: string): boolean {
    if (type === base) return true;
    const parent = (this.#structs.get(type) ?? []).find((line) => /^\w+$/u.test(line));
    return parent !== undefined && parent !== "DynamicData" && this.#extends(parent, base);
  }
}
