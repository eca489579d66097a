/** What vSphere's answers hold: what answers there, references, and properties of objects. */
import { MachineError } from "../../../errors/machine-error.ts";
import type { Ref } from "./wire.ts";
import { childOf, childrenOf, textOf, type XmlElement } from "./xml.ts";

/** Where the managers are, which an ESXi host has fewer of, and what answers there. */
export interface ServiceContent {
  readonly isVCenter: boolean;
  /** `VMware vCenter Server 7.0.3 build-…`. */
  readonly product: string;
  /** By the member's name: `searchIndex`. Throws `provider-unsupported` where this server has none. */
  manager(name: string): Ref;
}

/** Properties of one object, by their paths. */
export type Properties = ReadonlyMap<string, XmlElement>;

export interface Listed {
  readonly ref: Ref;
  readonly properties: Properties;
}

/** Of `RetrieveServiceContent`. */
export function contentOf(content: XmlElement | undefined): ServiceContent {
  const product = textOf(content, "about", "fullName");
  return {
    isVCenter: textOf(content, "about", "apiType") === "VirtualCenter",
    product,
    manager: (name) => {
      const found = refOf(childOf(content, name));
      if (found !== undefined) return found;
      throw new MachineError("provider-unsupported", `${product} has no ${name}, which this needs`, {
        hint: "An ESXi host by itself has no templates, libraries, tags and clusters: name a vCenter by --vmwarevsphere-vcenter.",
      });
    },
  };
}

/** One object of `RetrievePropertiesEx`. */
export function listed(object: XmlElement): Listed {
  const sets = childrenOf(object, "propSet").map((set) => [textOf(set, "name"), childOf(set, "val")] as const);
  const properties = new Map(sets.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
  return { ref: requireRef(childOf(object, "obj")), properties };
}

/** A reference as an answer has it; undefined where there is none. */
export function refOf(found: XmlElement | undefined): Ref | undefined {
  return found === undefined || found.text === "" ? undefined : { type: found.type ?? "", value: found.text };
}

export function requireRef(found: XmlElement | undefined): Ref {
  const ref = refOf(found);
  if (ref !== undefined) return ref;
  throw new MachineError("provider-error", "The answer of vSphere makes no sense: it lacks a reference", {
    hint: "Try again; if it stays so, look at vCenter's own log.",
  });
}
