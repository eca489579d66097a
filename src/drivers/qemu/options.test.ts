/** Everything that users write and that is parsed without I/O. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isMachineError } from "../../errors/machine-error.ts";
import { parseForward, requireDistinct } from "./forwards.ts";
import { parseQemuImage } from "./image-source.ts";
import { mountTag, parseSharedFolder } from "./shared-folder.ts";

const refuses = (work: () => unknown): void => assert.throws(work, (error) => isMachineError(error, "driver-options"));

describe("--qemu-open-port", () => {
  test("is [ADDRESS:]HOSTPORT[:PORT][/udp]", () => {
    assert.deepEqual(parseForward("8080"), { protocol: "tcp", address: "127.0.0.1", hostPort: 8080, guestPort: 8080 });
    assert.deepEqual(parseForward("0.0.0.0:8080:80"), { protocol: "tcp", address: "0.0.0.0", hostPort: 8080, guestPort: 80 });
    assert.deepEqual(parseForward("53:5353/udp"), { protocol: "udp", address: "127.0.0.1", hostPort: 53, guestPort: 5353 });
  });

  test("two that meet are refused by name, two at different addresses are not", () => {
    const told = (texts: readonly string[]): string => {
      try {
        requireDistinct(texts);
        return "";
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
    };
    assert.equal(
      told(["8080:80", "127.0.0.1:8080:81"]),
      "--qemu-open-port 8080:80 and 127.0.0.1:8080:81 are the same port of this computer",
    );
    assert.equal(
      told(["0.0.0.0:53/udp", "53/udp"]),
      "--qemu-open-port 0.0.0.0:53/udp and 53/udp are the same port of this computer",
    );
    assert.equal(told(["80", "443", "80"]), "--qemu-open-port 80 is given twice");
    assert.equal(told(["53/udp", "53", "127.0.0.2:53"]), "");
  });

  test("every port comes through as it was written", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(port, port, (hostPort, guestPort) => {
        const forward = parseForward(`${hostPort}:${guestPort}`);
        assert.deepEqual([forward.hostPort, forward.guestPort], [hostPort, guestPort]);
      }),
    );
  });

  for (const text of [
    "",
    "0",
    "65536",
    "80:0",
    "http",
    "80:80/sctp",
    "[::1]:80:80",
    "1:2:3:4",
    "999.0.0.1:80:80",
    "80;quit",
    "80 80",
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => refuses(() => parseForward(text)));
  }
});

describe("--qemu-share-folder", () => {
  test("is FOLDER[:PATH][:ro], on Windows too", () => {
    assert.deepEqual(parseSharedFolder("/srv"), { folder: "/srv", target: "/srv", readOnly: false });
    assert.deepEqual(parseSharedFolder("./src:/srv/../code:ro"), { folder: "./src", target: "/code", readOnly: true });
    assert.deepEqual(parseSharedFolder("C:\\Users\\me:/home/me"), {
      folder: "C:\\Users\\me",
      target: "/home/me",
      readOnly: false,
    });
    assert.equal(mountTag(2), "share2");
  });

  for (const text of ["", "relative", "/a:b", "/a:/b c", "/a:/b:/c", ":/b", "C:\\Users"]) {
    test(`refuses ${JSON.stringify(text)}`, () => refuses(() => parseSharedFolder(text)));
  }
});

describe("--qemu-image", () => {
  const source = (image: string, checksum = ""): ReturnType<typeof parseQemuImage> =>
    parseQemuImage({ Image: image, ImageChecksum: checksum }, "/home/me");
  const hex = "ab".repeat(32);

  test("is default, build, build:SUITE, a file, or a URL with a checksum", () => {
    assert.deepEqual(source("default"), { kind: "default" });
    assert.deepEqual(source("build"), { kind: "build", suite: "trixie" });
    assert.deepEqual(source("build:bookworm"), { kind: "build", suite: "bookworm" });
    assert.deepEqual(source("disk.qcow2"), { kind: "file", file: "/home/me/disk.qcow2" });
    assert.deepEqual(source("https://a.invalid/x.img", `SHA256:${hex.toUpperCase()}`), {
      kind: "url",
      url: "https://a.invalid/x.img",
      checksum: { algorithm: "sha256", hex },
    });
    assert.deepEqual(source("https://a.invalid/x.img", "https://a.invalid/SHA512SUMS"), {
      kind: "url",
      url: "https://a.invalid/x.img",
      checksum: { listUrl: "https://a.invalid/SHA512SUMS" },
    });
  });

  for (const [image, checksum] of [
    ["", ""],
    ["build:", ""],
    ["build:sarge", ""],
    ["https://a.invalid/x", ""],
    ["https://a.invalid/x", "sha512:abcd"],
    ["https://a.invalid/x", `sha512:${hex}`],
  ] as const) {
    test(`refuses ${JSON.stringify(image)} with ${JSON.stringify(checksum)}`, () => refuses(() => source(image, checksum)));
  }
});
