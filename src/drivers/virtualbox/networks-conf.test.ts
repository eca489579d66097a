import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "./cidr.ts";
import { allowedRanges, isAllowed } from "./networks-conf.ts";

function allows(text: string | undefined, network: string): boolean {
  const cidr = parseCidr(network);
  assert.ok(cidr !== undefined);
  return isAllowed(cidr, allowedRanges(text));
}

test("without the file VirtualBox's own range is allowed, and 0.16.2's network is not", () => {
  assert.ok(allows(undefined, "192.168.59.1/24"));
  assert.ok(allows(undefined, "192.168.63.1/24"));
  assert.ok(!allows(undefined, "192.168.64.1/24"));
  assert.ok(!allows(undefined, "192.168.99.1/24"));
  assert.ok(!allows(undefined, "192.168.59.1/16"), "a network that is wider than the range");
});

test("lines with a star hold ranges, by length or netmask; others, and IPv6, mean nothing here", () => {
  const text = "# * 172.16.0.0/12\n* 10.0.0.0/8 192.168.0.0/255.255.0.0\n  * fe80::/10\n*no\n";
  assert.deepEqual(allowedRanges(text), ["10.0.0.0/8", "192.168.0.0/255.255.0.0"]);
  assert.ok(allows(text, "10.9.8.1/24") && allows(text, "192.168.99.1/24"));
  assert.ok(!allows(text, "172.16.0.1/24"));
  assert.ok(!allows("", "192.168.59.1/24"), "an empty file allows nothing");
});
