import assert from "node:assert/strict";
import { test } from "node:test";
import { bootProblem, formatGuid } from "./image-check.ts";

const guids = {
  linuxX64: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
  linuxArm64: "b921b045-1df0-41c3-af44-4c6f280d3fae",
  linux: "0fc63daf-8483-4772-8e79-3d69d8477de4",
};

function guidBytes(text: string): Buffer {
  const [a = "", b = "", c = "", d = "", e = ""] = text.split("-").map((group) => group);
  const swapped = [a, b, c].map((group) => Buffer.from(group, "hex").reverse());
  return Buffer.concat([...swapped, Buffer.from(d + e, "hex")]);
}

/** The first 64 KiB of a disk. */
function disk(options: {
  readonly bootCode?: boolean;
  readonly signature?: boolean;
  readonly partitions?: readonly string[];
}): Buffer {
  const head = Buffer.alloc(64 * 1024);
  if (options.bootCode ?? true) head.write("\xeb\x63\x90", 0, "latin1");
  if (options.signature ?? true) head.writeUInt16LE(0xaa55, 510);
  if (options.partitions !== undefined) head.write("EFI PART", 512, "latin1");
  options.partitions?.forEach((guid, index) => guidBytes(guid).copy(head, 1024 + index * 128));
  return head;
}

test("GUIDs are told as they are written elsewhere", () => {
  for (const guid of Object.values(guids)) assert.equal(formatGuid(guidBytes(guid)), guid);
});

test("images for this architecture pass, with a GPT that tells it or without", () => {
  assert.equal(bootProblem(disk({ partitions: [guids.linuxX64] }), "x64"), undefined);
  assert.equal(bootProblem(disk({ partitions: [guids.linux] }), "x64"), undefined);
  assert.equal(bootProblem(disk({}), "x64"), undefined);
  assert.equal(bootProblem(disk({ bootCode: false, partitions: [guids.linuxArm64] }), "arm64"), undefined);
});

test("images for another architecture, and what is no disk, are told apart", () => {
  assert.match(
    bootProblem(disk({ bootCode: false, partitions: [guids.linuxArm64] }), "x64") ?? "",
    /another architecture than this computer's \(amd64\)/u,
  );
  assert.match(
    bootProblem(disk({ partitions: [guids.linuxX64] }), "arm64") ?? "",
    /another architecture than this computer's \(arm64\)/u,
  );
  assert.match(bootProblem(disk({ bootCode: false, partitions: [guids.linux] }), "x64") ?? "", /no boot code for a PC/u);
  assert.match(bootProblem(disk({ signature: false }), "x64") ?? "", /no partition table/u);
  assert.match(bootProblem(Buffer.from("<!doctype html>"), "x64") ?? "", /no partition table/u);
});
