import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isMachineError } from "../../../errors/machine-error.ts";
import { anyString, element, leaf, replaced, typed } from "./wire.ts";
import { childOf, escapeXml, loadXmlParser, textOf, type XmlElement } from "./xml.ts";

const parse = await loadXmlParser();
const soap =
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="urn:vim25"';

function read(xml: string): XmlElement {
  return parse(`<body ${soap}>${xml}</body>`);
}

describe("XML of vSphere", () => {
  test("a type and an xsi:type of one element are two things, whatever the prefix is", () => {
    const answer = read(
      '<result xmlns:XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance" XMLSchema-instance:type="ManagedObjectReference" type="VirtualMachine">vm-70</result>',
    );
    const result = childOf(answer, "result");
    assert.deepEqual([result?.xsiType, result?.type, result?.text], ["ManagedObjectReference", "VirtualMachine", "vm-70"]);
    assert.equal(childOf(read('<v xsi:type="xsd:string">x</v>'), "v")?.xsiType, "string");
  });

  test("any text comes back as it was written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        assert.equal(
          textOf(read(element("name", text)), "name"),
          text.replaceAll(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ""),
        );
      }),
    );
    assert.equal(escapeXml("a\u0000b"), "ab");
  });

  test("members stand in the schema's order, whatever order they are given in", () => {
    const spec = typed("VirtualMachineConfigSpec", {
      memoryMB: 1,
      extraConfig: typed("OptionValue", { value: anyString("v"), key: "k" }),
      name: "n",
    });
    const names = childOf(read(element("spec", spec)), "spec")?.children.map(({ name }) => name);
    assert.deepEqual(names, ["name", "memoryMB", "extraConfig"]);
    assert.throws(() => element("x", { xsiType: "ObjectSpec", members: { nonsense: 1 } }), /no member nonsense/u);
  });

  test("what was read is written as it was, but for what is replaced", () => {
    const device = childOf(
      read(
        '<device xsi:type="VirtualDisk"><key>2000</key><backing xsi:type="B"><fileName>[a] b&amp;c</fileName><datastore type="Datastore">ds-1</datastore></backing><capacityInKB>1</capacityInKB><shares><level>normal</level></shares></device>',
      ),
      "device",
    );
    assert.ok(device !== undefined);
    const grown = replaced(device, { capacityInKB: leaf("capacityInKB", "2"), capacityInBytes: undefined }, [
      "key",
      "backing",
      "capacityInKB",
    ]);
    assert.equal(
      element("device", grown),
      '<device xsi:type="VirtualDisk"><key>2000</key><backing xsi:type="B"><fileName>[a] b&amp;c</fileName><datastore type="Datastore">ds-1</datastore></backing><capacityInKB>2</capacityInKB><shares><level>normal</level></shares></device>',
    );
  });

  test("what is no XML is said to be none", () => {
    for (const text of ["", "<a>", "<html><body>503</p></html>", "{}"])
      assert.throws(
        () => parse(text),
        (error) => isMachineError(error, "provider-error"),
      );
  });
});
