import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  broadcastOf,
  contains,
  dhcpRange,
  formatAddress,
  netmaskOf,
  networkOf,
  parseAddress,
  parseCidr,
  prefixOf,
  type Cidr,
} from "./cidr.ts";

const anyCidr = fc.record({ address: fc.nat({ max: 0xffff_ffff }), prefix: fc.integer({ min: 1, max: 30 }) });

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  assert.ok(cidr !== undefined);
  return cidr;
}

test("addresses and networks are read as they are written, and nothing else is", () => {
  assert.deepEqual(parseCidr("192.168.59.1/24"), { address: 0xc0a83b01, prefix: 24 });
  for (const text of [
    "",
    "192.168.59.1",
    "192.168.59/24",
    "192.168.59.256/24",
    "192.168.59.1/33",
    "192.168.59.1/",
    "a/24",
    "1.2.3.4/2x",
  ])
    assert.equal(parseCidr(text), undefined, text);
  fc.assert(fc.property(fc.nat({ max: 0xffff_ffff }), (address) => parseAddress(formatAddress(address)) === address));
});

test("a netmask and its length are the same", () => {
  fc.assert(fc.property(anyCidr, (cidr) => prefixOf(formatAddress(netmaskOf(cidr))) === cidr.prefix));
  for (const text of ["255.0.255.0", "15.0.0.0", "", "255.255.255"]) assert.equal(prefixOf(text), undefined, text);
});

test("what a DHCP server gives out lies in the network, and is neither its own nor this computer's address", () => {
  fc.assert(
    fc.property(anyCidr, (cidr) => {
      fc.pre(cidr.address !== networkOf(cidr) && cidr.address !== broadcastOf(cidr));
      const range = dhcpRange(cidr);
      if (range === undefined) return;
      for (const address of Object.values(range)) assert.ok(contains(cidr, address) && address !== broadcastOf(cidr));
      assert.notEqual(range.server, cidr.address);
      assert.ok(range.server < range.lower && range.lower <= range.upper);
    }),
  );
});

test("as 0.16.2 it gives out .100 to .254, in smaller networks what there is", () => {
  const told = (text: string): string | undefined => {
    const range = dhcpRange(cidrOf(text));
    return range === undefined ? undefined : [range.server, range.lower, range.upper].map(formatAddress).join(" ");
  };
  assert.equal(told("192.168.59.1/24"), "192.168.59.2 192.168.59.100 192.168.59.254");
  assert.equal(told("192.168.59.7/24"), "192.168.59.1 192.168.59.100 192.168.59.254");
  assert.equal(told("192.168.59.1/29"), "192.168.59.2 192.168.59.3 192.168.59.6");
  assert.equal(told("192.168.59.1/30"), undefined);
});
