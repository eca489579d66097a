/** The disk that a guest starts from, for a driver on a computer without qemu-img. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, truncateSync, chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { SystemProcessRunner } from "../../system/process.ts";
import { testDriverContext, type TestContext } from "../../testing/driver-context.ts";
import { thisComputer } from "../../system/computer.ts";
import { findDiskImage, provideDiskImage, type DiskImageWish } from "./disk-image.ts";
import { parseImageSource } from "./image-source.ts";

const { signal } = new AbortController();
const wish = { arch: "x64", flavour: "generic", refresh: false, prefix: "hyperv" } as const;

/** A disk that a PC would boot: code and signature in its first sector. */
function bootDisk(content: string): Buffer {
  const disk = Buffer.alloc(128 * 1024);
  disk.write("\xeb\x63\x90", 0, "latin1");
  disk.writeUInt16LE(0xaa55, 510);
  disk.write(content, 4096);
  return disk;
}

async function withoutTools(): Promise<TestContext> {
  const computer = { ...thisComputer(), env: { PATH: "/nowhere" } };
  return await testDriverContext("web", { computer, processes: new SystemProcessRunner(computer) });
}

describe("a file", () => {
  test("is copied into the cache, checked, and named by its content", async () => {
    await using given = await withoutTools();
    const file = path.join(given.context.storePath, "a.img");
    writeFileSync(file, bootDisk("one"));
    const source = parseImageSource({ image: "a.img", checksum: "" }, "hyperv", given.context.storePath);
    const image = await provideDiskImage(given.context, { ...wish, source } as DiskImageWish, signal);
    assert.equal(image.digest, `sha256-${createHash("sha256").update(bootDisk("one")).digest("hex")}`);
    assert.deepEqual([image.format, image.virtualSizeBytes, image.title], ["raw", 128 * 1024, "a.img"]);
    assert.deepEqual(readFileSync(image.file), bootDisk("one"));
  });

  test("that no guest starts from is refused with the driver's own flag in the hint", async () => {
    await using given = await withoutTools();
    const file = path.join(given.context.storePath, "a.img");
    for (const content of [
      Buffer.from("<!doctype html>"),
      Buffer.concat([Buffer.from("QFI\xfb", "latin1"), Buffer.alloc(508)]),
    ]) {
      writeFileSync(file, content);
      await assert.rejects(
        provideDiskImage(given.context, { ...wish, source: { kind: "file", file } }, signal),
        (error) => isMachineError(error, "image-unusable") && /^Give --hyperv-image another image/u.test(error.hint ?? ""),
      );
    }
  });
});

describe("a URL", () => {
  const content = bootDisk("from the web");
  const hex = createHash("sha512").update(content).digest("hex");
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(request.url === "/SHA512SUMS" ? `${hex}  disk.img\n` : content);
  });
  let base = "";
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  test("with a list of checksums is asked once, until it is to be asked again; what was damaged is fetched anew", async () => {
    await using given = await withoutTools();
    const source = { kind: "url", url: `${base}/disk.img`, checksum: { listUrl: `${base}/SHA512SUMS` } } as const;
    const provide = async (refresh: boolean): Promise<string> =>
      (await provideDiskImage(given.context, { ...wish, source, refresh }, signal)).file;
    assert.equal(await findDiskImage(given.context, { ...wish, source }, signal), undefined);
    const file = await provide(false);
    assert.equal(await provide(false), file);
    assert.deepEqual(asked.splice(0), ["/SHA512SUMS", "/disk.img"]);
    assert.equal(await provide(true), file);
    assert.deepEqual(asked.splice(0), ["/SHA512SUMS"]);
    chmodSync(file, 0o600);
    truncateSync(file, 1_000);
    assert.equal(await provide(false), file);
    assert.deepEqual(readFileSync(file), content);
    assert.ok(asked.includes("/disk.img"));
  });
});

test("the CD of boot2docker is a path or an address, and excludes an image", () => {
  const source = (isoUrl: string, image = "default"): unknown =>
    parseImageSource({ image, checksum: "", isoUrl }, "hyperv", "/home/me");
  const checksum = undefined;
  assert.deepEqual(source("https://a.invalid/b.iso"), { kind: "iso", location: "https://a.invalid/b.iso", checksum });
  for (const text of ["file:///srv/b.iso", "file:/srv/b.iso", "/srv/b.iso"])
    assert.deepEqual(source(text), { kind: "iso", location: "/srv/b.iso", checksum });
  assert.deepEqual(source("b.iso"), { kind: "iso", location: "/home/me/b.iso", checksum });
  assert.throws(
    () => source("b.iso", "disk.qcow2"),
    (error) => isMachineError(error, "driver-options") && /--hyperv-boot2docker-url/u.test(error.message),
  );
});
