/** Leases of each server, tables of neighbours, and which of several counts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressOf, appleLeases, iscLeases, macDigits, neighbours, reservations } from "./leases.ts";

const mac = "0050560a0b0c";
const now = Date.UTC(2026, 10, 26, 10, 30, 0);

test("hardware addresses are their digits, however they are written", () => {
  for (const text of ["00:50:56:0a:0b:0c", "0:50:56:a:b:c", "00-50-56-0A-0B-0C", "0050560A0B0C"])
    assert.equal(macDigits(text), mac);
  for (const text of ["", "00:50:56:0a:0b", "on", "172.16.1.2"]) assert.equal(macDigits(text), "");
});

describe("leases of ISC's server", () => {
  const lease = (address: string, from: string, to: string, hardware = "00:50:56:0a:0b:0c"): string =>
    `lease ${address} {\n\tstarts 4 2026/11/26 ${from};\n\tends 4 2026/11/26 ${to};\n\thardware ethernet ${hardware};\n\tclient-hostname "web";\n}\n`;

  test("times are UTC, and the newest that is good now counts", () => {
    const text = `# All times in this file are in UTC\n${lease("172.16.1.2", "08:00:00", "08:30:00")}${lease("172.16.1.3", "10:10:00", "10:40:00")}${lease("172.16.1.4", "10:00:00", "10:45:00")}${lease("172.16.1.5", "10:20:00", "10:50:00", "00:0c:29:00:00:01")}`;
    const leases = iscLeases(text);
    assert.deepEqual(leases[0], {
      address: "172.16.1.2",
      mac,
      startsMs: Date.UTC(2026, 10, 26, 8),
      endsMs: Date.UTC(2026, 10, 26, 8, 30),
    });
    assert.equal(addressOf(mac, leases, now), "172.16.1.3");
    assert.equal(addressOf(mac, leases, now + 86_400_000), "172.16.1.3", "the newest, where all have ended");
    assert.equal(addressOf("000000000001", leases, now), undefined);
  });

  test("one that is good still counts before a newer one that has ended", () => {
    const text = `${lease("172.16.1.2", "10:00:00", "11:00:00")}${lease("172.16.1.3", "10:15:00", "10:20:00")}`;
    assert.equal(addressOf(mac, iscLeases(text), now), "172.16.1.2");
  });

  test("of two that began at once the later in the file counts; one without an end is good for ever", () => {
    const endless = "lease 172.16.1.9 {\n starts 4 2026/11/26 10:10:00;\n ends never;\n hardware ethernet 0:50:56:a:b:c;\n}\n";
    assert.equal(addressOf(mac, iscLeases(`${lease("172.16.1.3", "10:10:00", "10:40:00")}${endless}`), now), "172.16.1.9");
  });

  test("what is broken off, or something else, is none", () => {
    assert.deepEqual(iscLeases("lease 172.16.1.2 {\n starts 4 2026"), []);
    assert.deepEqual(iscLeases("not a lease"), []);
  });
});

test("leases of macOS have no leading zeros, and end in hexadecimal", () => {
  const text = `{\n\tname=web\n\tip_address=192.168.64.5\n\thw_address=1,0:50:56:a:b:c\n\tidentifier=1,0:50:56:a:b:c\n\tlease=0x6926d4a0\n}\n{\n\tname=old\n\tip_address=192.168.64.4\n\thw_address=1,0:50:56:a:b:c\n\tlease=0x65000000\n}\n`;
  const leases = appleLeases(text);
  assert.equal(leases[0]?.endsMs, 0x6926d4a0 * 1000);
  assert.equal(addressOf(mac, leases, 0x66000000 * 1000), "192.168.64.5");
});

test("reservations are for good", () => {
  const text = `subnet 172.16.1.0 netmask 255.255.255.0 {\n}\nhost vmnet8 {\n hardware ethernet 00:50:56:C0:00:08;\n fixed-address 172.16.1.1;\n}\nhost web { hardware ethernet 00:50:56:0A:0B:0C; fixed-address 172.16.1.77; }`;
  assert.equal(addressOf(mac, reservations(text), now), "172.16.1.77");
});

test("neighbours are read from each system's table", () => {
  for (const text of [
    "? (172.16.1.8) at 0:50:56:a:b:c on vmnet8 ifscope [ethernet]\n? (172.16.1.9) at (incomplete) on vmnet8\n",
    "IP address       HW type     Flags       HW address            Mask     Device\n172.16.1.8       0x1         0x2         00:50:56:0a:0b:0c     *        vmnet8\n172.16.1.9       0x1         0x0         00:00:00:00:00:00     *        vmnet8\n",
    "\r\nInterface: 172.16.1.1 --- 0x8\r\n  Internet Address      Physical Address      Type\r\n  172.16.1.8            00-50-56-0a-0b-0c     dynamic\r\n",
  ]) {
    assert.equal(addressOf(mac, neighbours(text), 0), "172.16.1.8", text);
    assert.equal(neighbours(text).length, 1);
  }
});
