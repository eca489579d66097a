/** Where images of the driver `qemu` come from, against a fake QEMU: packages, files, the web. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { Driver } from "../../src/driver-kit/driver.ts";
import type { FlagValue } from "../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../src/drivers/qemu/index.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { headOf } from "../../src/system/disk-files.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { testDriverContext, type TestContext } from "../../src/testing/driver-context.ts";
import { fakeWorld, flagsOf, signal } from "./fake-world.ts";
import { bootDisk } from "../support/boot-disk.ts";

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : "packing a disk as another user needs a user namespace";

interface Shop extends AsyncDisposable {
  readonly folder: string;
  /** Where built images are kept. */
  readonly images: string;
  /** How often packages were installed. */
  builds(): number;
  make(
    name: string,
    flags: Readonly<Record<string, FlagValue>>,
  ): Promise<{ readonly driver: Driver; readonly test: TestContext }>;
}

/** A computer whose cache is empty, whose mmdebstrap packs a tiny system, and which has no way to the web but a proxy that is not there. */
async function shop(
  mmdebstrap = 'cp "$(dirname "$0")/../rootfs.tar" "$last"',
  env: Readonly<Record<string, string>> = {},
): Promise<Shop> {
  const world = await fakeWorld();
  const { folder } = world;
  const images = path.join(folder, "cache", "qemu", "images");
  rmSync(images, { recursive: true });
  packRootfs(folder);
  const program = path.join(folder, "bin", "mmdebstrap");
  writeFileSync(program, `#!/bin/sh\necho build >> '${folder}/builds'\nfor last; do :; done\n${mmdebstrap}\n`);
  chmodSync(program, 0o755);
  const { computer: found = assert.fail() } = world.overrides;
  const computer = { ...found, env: { ...found.env, HTTPS_PROXY: "http://127.0.0.1:1", ...env } };
  const contexts: TestContext[] = [];
  return {
    folder,
    images,
    builds: () => readFileSync(path.join(folder, "builds"), { encoding: "utf8", flag: "a+" }).split("\n").length - 1,
    make: async (name, flags) => {
      const context = await testDriverContext(name, {
        ...world.overrides,
        computer,
        processes: new SystemProcessRunner(computer),
      });
      contexts.push(context);
      const driver = driverModule.open(context.context, undefined);
      await driver.setConfigFromFlags(flagsOf({ "qemu-save-state": "off", ...flags }));
      return { driver, test: context };
    },
    [Symbol.asyncDispose]: async () => {
      for (const context of contexts) await context[Symbol.asyncDispose]();
    },
  };
}

function packRootfs(folder: string): void {
  const root = path.join(folder, "rootfs");
  mkdirSync(path.join(root, "boot"), { recursive: true });
  writeFileSync(path.join(root, "boot", "vmlinuz-6.12-test"), "kernel");
  writeFileSync(path.join(root, "boot", "initrd.img-6.12-test"), "initrd");
  execFileSync("tar", ["-C", root, "-cf", path.join(folder, "rootfs.tar"), "."]);
}

function imagesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^(?:build|sha256|sha512)-/u.test(name) && !name.includes(".lock"));
}

async function createAndRemove({ driver }: { readonly driver: Driver }): Promise<string> {
  await driver.create(signal());
  const config = JSON.parse(await driver.configText()) as { ImageDigest: string };
  await driver.remove(signal());
  return config.ImageDigest;
}

describe("build", { skip: needsRoot }, () => {
  test("packs a disk, with kernel and initial RAM disk beside it, once for all machines", async () => {
    await using given = await shop();
    const machines = [await given.make("web", { "qemu-image": "build" }), await given.make("db", { "qemu-image": "build" })];
    const digests = await Promise.all(machines.map(createAndRemove));
    assert.equal(new Set(digests).size, 1);
    assert.equal(given.builds(), 1);
    const image = path.join(given.images, digests[0] ?? "");
    assert.deepEqual(readdirSync(image).toSorted(), ["disk", "image.json", "initrd", "vmlinuz"]);
    assert.equal(readFileSync(path.join(image, "vmlinuz"), "utf8"), "kernel");
    assert.equal(statSync(path.join(image, "disk")).mode & 0o777, 0o444);
    assert.equal((await headOf(path.join(image, "disk"), 2_048)).readUInt16LE(1024 + 56), 0xef53, "the disk is no ext4");
  });

  test("is what the default comes to where the cloud image cannot be downloaded, and stays", async () => {
    await using given = await shop();
    const first = await given.make("web", { "qemu-image": "default" });
    assert.match(await createAndRemove(first), /^build-trixie-/u);
    assert.ok(
      first.test.events.some(
        (event) => event.type === "log" && /cloud image cannot be had .*; an image is built here instead/u.test(event.text),
      ),
    );
    const second = await given.make("db", { "qemu-image": "default" });
    await createAndRemove(second);
    assert.deepEqual(
      [given.builds(), second.test.events.filter((event) => event.type === "log" && event.level === "info")],
      [1, []],
    );
  });

  test("is done anew when that is wanted", async () => {
    await using given = await shop();
    await createAndRemove(await given.make("web", { "qemu-image": "build" }));
    await createAndRemove(await given.make("db", { "qemu-image": "build", "qemu-image-refresh": true }));
    assert.equal(given.builds(), 2);
  });

  test("that fails tells the first error and leaves nothing", async () => {
    await using given = await shop('echo "E: Unable to locate package docker.io" >&2; exit 25');
    const { driver } = await given.make("web", { "qemu-image": "build" });
    await assert.rejects(
      driver.create(signal()),
      (error) => isMachineError(error, "image-unusable") && /Unable to locate package docker.io$/u.test(error.message),
    );
    assert.deepEqual(imagesIn(given.images), []);
  });
});

describe("a file", () => {
  test("is taken by its content: a copy is the same image, a change makes another", async () => {
    await using given = await shop();
    const at = (name: string): string => path.join(given.folder, name);
    writeFileSync(at("a.img"), bootDisk({ content: "one" }));
    writeFileSync(at("b.img"), bootDisk({ content: "one" }));
    writeFileSync(at("c.img"), bootDisk({ content: "two" }));
    const digests: string[] = [];
    for (const name of ["a.img", "b.img", "c.img"])
      digests.push(await createAndRemove(await given.make("web", { "qemu-image": at(name) })));
    assert.equal(digests[0], digests[1]);
    assert.notEqual(digests[0], digests[2]);
    assert.equal(
      digests[0],
      `sha256-${createHash("sha256")
        .update(bootDisk({ content: "one" }))
        .digest("hex")}`,
    );
  });

  test("keeps its machine going when it is deleted", async () => {
    await using given = await shop();
    const file = path.join(given.folder, "a.img");
    writeFileSync(file, bootDisk({ content: "one" }));
    const { driver } = await given.make("web", { "qemu-image": file });
    await driver.create(signal());
    await driver.stop(signal());
    rmSync(file);
    await driver.start(signal());
    assert.equal(await driver.getState(signal()), "Running");
    await driver.remove(signal());
  });
});

describe("a URL", () => {
  const content = bootDisk({ content: "from the web" });
  const sha256 = createHash("sha256").update(content).digest("hex");

  test("is downloaded once, and gone on with after it broke off", async () => {
    await using given = await shop();
    const ranges: string[] = [];
    const server = createServer((request, response) => {
      ranges.push(request.headers.range ?? "");
      const start = Number(/\d+/u.exec(request.headers.range ?? "")?.[0] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, { "content-length": content.length - start, etag: '"1"' });
      // The first answer stops half way and says nothing more.
      if (ranges.length === 1) response.write(content.subarray(0, content.length / 2));
      else response.end(content.subarray(start));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const flags = { "qemu-image": `http://127.0.0.1:${port}/disk.img`, "qemu-image-checksum": `sha256:${sha256}` };
    const first = await given.make("web", flags);
    const abort = new AbortController();
    const creating = first.driver.create(abort.signal);
    while (!first.test.events.some((event) => event.type === "transfer" && event.doneBytes > 0))
      await Promise.race([creating, new Promise((resolve) => setImmediate(resolve))]);
    abort.abort(new Error("interrupted"));
    await assert.rejects(creating, /interrupted/u);
    assert.equal(await createAndRemove(await given.make("web", flags)), `sha256-${sha256}`);
    assert.match(ranges[1] ?? "", /^bytes=[1-9]/u);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await createAndRemove(await given.make("db", flags)), `sha256-${sha256}`);
  });

  test("whose checksum is wrong is refused", async () => {
    await using given = await shop();
    const server = createServer((_request, response) => response.end(bootDisk({ content: "something else" })));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { driver } = await given.make("web", {
      "qemu-image": `http://127.0.0.1:${port}/disk.img`,
      "qemu-image-checksum": sha256,
    });
    await assert.rejects(
      driver.create(signal()),
      (error) => isMachineError(error, "download-failed") && /wrong sha256 checksum/u.test(error.message),
    );
    assert.deepEqual(imagesIn(path.join(given.folder, "cache", "images")), []);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
