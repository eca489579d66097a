/** What the driver reads out of recorded answers of the product, and out of those of older versions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOfCard } from "../../../src/drivers/virtualbox/address.ts";
import { codeIn, errorIn } from "../../../src/drivers/virtualbox/failures.ts";
import {
  isAtLeast,
  parseDhcpServers,
  parseExtraData,
  parseHostInfo,
  parseHostOnlyInterfaces,
  parseHostOnlyNetworks,
  parseLease,
  parseProperty,
  parseVersion,
  parseVms,
} from "../../../src/drivers/virtualbox/listings.ts";
import { parsePairs, parseVmInfo, stateOf } from "../../../src/drivers/virtualbox/vm-info.ts";
import { recorded } from "./recorded.ts";

test("the version stands in the last line, behind warnings of a wrapper", () => {
  const shapes = [recorded("01").stdout, "7.0.20r163906\n", "6.1.50_Ubuntur161033\n", "4.1.8r1234_OSE\r\n"];
  assert.deepEqual(
    shapes.map((text) => parseVersion(text)).map((version) => [version?.major, version?.minor, version?.build]),
    [
      [7, 2, 22],
      [7, 0, 20],
      [6, 1, 50],
      [4, 1, 8],
    ],
  );
  assert.equal(parseVersion("WARNING: The vboxdrv kernel module is not loaded."), undefined);
  const version = parseVersion("6.1.28");
  assert.ok(version !== undefined && isAtLeast(version, [6, 1, 28]) && isAtLeast(version, [6, 0, 40]));
  assert.ok(!isAtLeast(version, [6, 1, 29]) && !isAtLeast(version, [7, 0, 0]));
});

test("a machine's name may hold anything, and nothing is escaped in the list", () => {
  const listed = parseVms(recorded("113").stdout);
  assert.deepEqual(
    listed.map(({ name }) => name),
    ["m1", 'm"2\\x', "m3b", "arm1", "m1"],
  );
  assert.deepEqual(parseVms(recorded("163").stdout).at(-1), {
    name: "<inaccessible>",
    uuid: "40de443b-ab0a-41be-acb1-b9d4c9c10b23",
  });
});

test("a machine with a disk, two rules and one card", () => {
  const info = parseVmInfo(recorded("150").stdout);
  assert.equal(info.uuid, "5e3f0c1a-0000-4000-8000-0000000000aa");
  assert.deepEqual(info.attachments, [{ controller: "SATA", port: 0, device: 0, medium: "/root/st/machines/web/disk.vdi" }]);
  assert.deepEqual(info.forwards, [
    { name: "docker", hostPort: 42_376, guestPort: 2376 },
    { name: "ssh", hostPort: 42_022, guestPort: 22 },
  ]);
  assert.deepEqual([info.cpus, info.memory, stateOf(info), info.hostOnlyName], [2, 2048, "Stopped", ""]);
  assert.equal(parseVmInfo(recorded("39").stdout).hostOnlyName, "vboxnet0");
});

test("quotes, backslashes and line ends in values", () => {
  assert.equal(parsePairs(recorded("101").stdout).get("name"), 'm"2\\x');
  assert.equal(parsePairs(recorded("103").stdout).get("description"), 'line one "quoted" \\ back\nline two é');
  const windows = parseVmInfo('name="web"\r\nCfgFile="C:\\\\Users\\\\me\\\\web.vbox"\r\nVMState="running"\r\n');
  assert.equal(windows.settingsFile, "C:\\Users\\me\\web.vbox");
  assert.equal(stateOf(windows), "Running");
});

test("DHCP servers in the words of 7.x and of 6.1", () => {
  const now = {
    networkName: "HostInterfaceNetworking-vboxnet0",
    address: "192.168.56.100",
    netmask: "255.255.255.0",
    lower: "192.168.56.101",
    upper: "192.168.56.254",
    isEnabled: true,
  };
  assert.deepEqual(parseDhcpServers(recorded("06").stdout), [now]);
  const old =
    "NetworkName:    HostInterfaceNetworking-vboxnet0\nIP:             192.168.56.100\nNetworkMask:    255.255.255.0\n" +
    "lowerIPAddress: 192.168.56.101\nupperIPAddress: 192.168.56.254\nEnabled:        Yes\n\n";
  assert.deepEqual(parseDhcpServers(old), [now]);
});

test("interfaces, whose names hold blanks on Windows, and networks of Macs", () => {
  const block = recorded("205").stdout.replaceAll("eth0", "VirtualBox Host-Only Ethernet Adapter #2").replaceAll("\n", "\r\n");
  assert.deepEqual(parseHostOnlyInterfaces(block)[0], {
    name: "VirtualBox Host-Only Ethernet Adapter #2",
    address: "192.0.2.2",
    netmask: "255.255.255.0",
    networkName: "HostInterfaceNetworking-VirtualBox Host-Only Ethernet Adapter #2",
  });
  const networks =
    "Name:            HostNetwork\nGUID:            1\n\nState:           Enabled\nNetworkMask:     255.255.255.0\n" +
    "LowerIP:         192.168.56.1\nUpperIP:         192.168.56.199\nVBoxNetworkName: hostonly-HostNetwork\n\n";
  assert.deepEqual(parseHostOnlyNetworks(networks), [
    { name: "HostNetwork", isEnabled: true, netmask: "255.255.255.0", lower: "192.168.56.1" },
  ]);
});

test("settings, properties, facts of the computer, leases", () => {
  assert.equal(parseExtraData(recorded("211").stdout).get("docker-machine/hostonly/vboxnet7"), "192.168.59.1/24");
  assert.equal(parseProperty(recorded("30").stdout), "5e3f0c1a");
  assert.equal(parseProperty(recorded("24").stdout), undefined);
  assert.deepEqual(parseHostInfo(recorded("07").stdout), { cpus: 2, virtualizes: false });
  const lease = (state: string): string => `IP Address:  192.168.56.101\nMAC Address: 08:00:27:11:22:34\nState:       ${state}\n`;
  assert.equal(parseLease(lease("acked")), "192.168.56.101");
  assert.equal(parseLease(lease("expired")), undefined);
});

test("the words and the code of a failure", () => {
  const missing = recorded("15").stderr;
  assert.equal(codeIn(missing), "VBOX_E_OBJECT_NOT_FOUND");
  assert.deepEqual(
    missing.split("\n").flatMap((line) => errorIn(line) ?? []),
    ["Could not find a registered machine named 'nosuch'"],
  );
  assert.equal(codeIn(recorded("33").stderr), "NS_ERROR_INVALID_ARG");
  assert.equal(errorIn("VBoxManage.exe: error: The object functionality is limited"), "The object functionality is limited");
  assert.equal(errorIn(recorded("38").stderr), undefined, "a warning");
});

test("a card's address out of what the guest says", () => {
  const answer =
    "00:00:00:00:00:00\n1: lo    inet 127.0.0.1/8 scope host lo\\ valid\n08:00:27:aa:bb:01\n2: enp0s3    inet 10.0.2.15/24 brd 10.0.2.255 scope global\n" +
    "08:00:27:aa:bb:02\n3: enp0s8    inet 192.168.59.101/24 brd 192.168.59.255 scope global\n02:42:00:00:00:01\n4: docker0    inet 172.17.0.1/16\n";
  assert.equal(addressOfCard(answer, "080027AABB02"), "192.168.59.101");
  assert.equal(addressOfCard(answer, "080027AABB09"), undefined);
});
