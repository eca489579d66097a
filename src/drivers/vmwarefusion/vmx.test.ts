/** A machine's description, as text and read again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { mountOf, parseShare, shareName, sharesOf, shareText } from "./shares.ts";
import { disksIn, parseVmx, vmxText, type MachineDescription } from "./vmx.ts";

const wish: MachineDescription = {
  name: "web",
  arch: "x64",
  knowsDebian: true,
  memoryMiB: 2_048,
  cpus: 2,
  disk: "web.vmdk",
  cds: ["seed.iso"],
  network: "nat",
  macAddress: "00:50:56:0a:0b:0c",
  shares: [],
  mark: { key: "guestinfo.docker-machine.create-id", value: "abc" },
};

test("a PC has what Debian's cloud kernel has drivers for; the encoding comes first", () => {
  const text = vmxText(wish);
  assert.ok(text.startsWith('.encoding = "UTF-8"\n'));
  const vmx = parseVmx(text);
  for (const [key, value] of Object.entries({
    "virtualHW.version": "18",
    guestOS: "debian12-64",
    "scsi0.virtualDev": "pvscsi",
    "scsi0:0.fileName": "web.vmdk",
    "sata0:1.fileName": "seed.iso",
    "sata0:1.deviceType": "cdrom-image",
    "ethernet0.virtualDev": "vmxnet3",
    "ethernet0.address": "00:50:56:0a:0b:0c",
    "isolation.tools.hgfs.disable": "TRUE",
    firmware: "bios",
  }))
    assert.equal(vmx.get(key.toLowerCase()), value, key);
  assert.deepEqual(disksIn(vmx), ["web.vmdk"]);
  assert.equal(parseVmx(vmxText({ ...wish, knowsDebian: false })).get("guestos"), "other-64");
});

test("on ARM the disk is NVMe, the firmware is the product's, and there is a keyboard", () => {
  const vmx = parseVmx(vmxText({ ...wish, arch: "arm64" }));
  assert.deepEqual(
    ["guestos", "virtualhw.version", "nvme0:0.filename", "usb_xhci.present", "firmware", "scsi0.present"].map((key) =>
      vmx.get(key),
    ),
    ["arm-debian12-64", "20", "web.vmdk", "TRUE", undefined, undefined],
  );
});

test("shared folders are described, under names that the guest finds them by", () => {
  const share = parseShare("src:/srv/my-src", "/home/me");
  assert.deepEqual(share, { hostPath: "/home/me/src", target: "/srv/my-src" });
  const vmx = parseVmx(vmxText({ ...wish, shares: [share] }));
  assert.deepEqual(
    ["sharedfolder.maxnum", "sharedfolder0.hostpath", "sharedfolder0.guestname", "isolation.tools.hgfs.disable"].map((key) =>
      vmx.get(key),
    ),
    ["1", "/home/me/src", "srv-my-src", "FALSE"],
  );
  assert.deepEqual(mountOf(share).slice(0, 2), [".host:/srv-my-src", "/srv/my-src"]);
  assert.equal(shareName({ hostPath: "/", target: "/" }), "root");
  assert.deepEqual(sharesOf({ NoShare: false, ShareFolders: [shareText(share)] }, "linux"), [share]);
  assert.deepEqual(sharesOf({ NoShare: false, ShareFolders: [] }, "darwin"), [{ hostPath: "/Users", target: "/Users" }]);
  assert.deepEqual(sharesOf({ NoShare: true, ShareFolders: [] }, "darwin"), []);
  for (const bad of ["", "a:b", "a:/b c", 'a"b:/c', ":/x"])
    assert.throws(
      () => parseShare(bad, "/"),
      (error) => isMachineError(error, "driver-options"),
      bad,
    );
});

test("what a value cannot hold is refused, not escaped by guesswork", () => {
  for (const name of ['a"b', "a|b", "a\nb"])
    assert.throws(
      () => vmxText({ ...wish, name }),
      (error) => isMachineError(error, "driver-options"),
    );
});

test("files that VMware has written again are read: other cases, blanks, CRLF", () => {
  const vmx = parseVmx('displayname = "web"\r\nScsi0:0.FileName="web-000001.vmdk"\r\n  # a note\r\nnonsense\r\n');
  assert.deepEqual(
    [...vmx],
    [
      ["displayname", "web"],
      ["scsi0:0.filename", "web-000001.vmdk"],
    ],
  );
});
