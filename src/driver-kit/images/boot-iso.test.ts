/** The CD of boot2docker, from a path, an address, and an address of releases. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError, type MachineError } from "../../errors/machine-error.ts";
import { testDriverContext, type TestContext } from "../../testing/driver-context.ts";
import { isoImage } from "../guest/iso.ts";
import { provideBootIso } from "./boot-iso.ts";
import { parseImageSource, type IsoSource } from "./image-source.ts";

const { signal } = new AbortController();
const cd = isoImage("b2d", { version: "18.06.1" });
const digest = createHash("sha256").update(cd).digest("hex");

function sourceOf(isoUrl: string, checksum = ""): IsoSource {
  const source = parseImageSource({ image: "default", checksum, isoUrl }, "virtualbox", "/");
  assert.equal(source.kind, "iso");
  return source as IsoSource;
}

async function provide({ context }: TestContext, source: IsoSource): Promise<Buffer> {
  const file = await provideBootIso(context, source, "virtualbox", signal);
  assert.equal(file, path.join(context.machineDir, "boot2docker.iso"));
  return readFileSync(file);
}

async function refusalOf(given: TestContext, source: IsoSource): Promise<MachineError> {
  const error: unknown = await provide(given, source).catch((thrown: unknown) => thrown);
  assert.ok(isMachineError(error), String(error));
  assert.ok(!existsSync(path.join(given.context.machineDir, "boot2docker.iso")));
  return error;
}

describe("the CD of boot2docker", () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const answers: Readonly<Record<string, string | Buffer>> = {
      "/b.iso": cd,
      "/SHA256SUMS": `${digest}  b.iso\n`,
      "/disk.iso": Buffer.alloc(64 * 1024),
      "/repos/boot2docker/boot2docker/releases": JSON.stringify([
        { tag_name: "v20-rc1", prerelease: true },
        { tag_name: "v19.03.12", prerelease: false },
      ]),
      "/boot2docker/boot2docker/releases/download/v19.03.12/boot2docker.iso": cd,
      "/api/v3/repos/a/b/releases/latest": JSON.stringify({ message: "API rate limit exceeded" }),
    };
    const answer = answers[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  let origin = "";
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  test("is copied from a path, and what is there whole is not copied again", async () => {
    await using given = await testDriverContext("web");
    const file = path.join(given.context.storePath, "given.iso");
    writeFileSync(file, cd);
    assert.deepEqual(await provide(given, sourceOf(`file:${file}`)), cd);
    writeFileSync(file, isoImage("another", {}));
    assert.deepEqual(await provide(given, sourceOf(file)), cd);
  });

  test("is downloaded without a checksum, which is then told, and in 0.16.2's words that it stays as it is", async () => {
    await using given = await testDriverContext("web");
    assert.deepEqual(await provide(given, sourceOf(`${origin}/b.iso`)), cd);
    const lines = given.events.flatMap((event) => (event.type === "log" ? [event.text] : []));
    assert.ok(lines.some((line) => line.includes(`sha256:${digest}`)));
    assert.ok(
      lines.includes(
        `Boot2Docker URL was explicitly set to "${origin}/b.iso" at create time, so Docker Machine cannot upgrade this machine to the latest version.`,
      ),
    );
    assert.deepEqual(readdirSync(given.context.machineDir), ["boot2docker.iso"]);
  });

  test("is checked against a checksum or a list, where one is given", async () => {
    await using given = await testDriverContext("web");
    const wrong = sourceOf(`${origin}/b.iso`, `sha256:${"0".repeat(64)}`);
    assert.match((await refusalOf(given, wrong)).message, /wrong sha256 checksum/u);
    const file = path.join(given.context.storePath, "given.iso");
    writeFileSync(file, cd);
    assert.match((await refusalOf(given, sourceOf(file, `sha256:${"0".repeat(64)}`))).message, /wrong sha256 checksum/u);
    assert.deepEqual(await provide(given, sourceOf(`${origin}/b.iso`, `${origin}/SHA256SUMS`)), cd);
  });

  test("behind an address of releases is that of the newest release; where there is none, 0.16.2's words say why", async () => {
    await using given = await testDriverContext("web");
    const limited = await refusalOf(given, sourceOf(`${origin}/api/v3/repos/a/b/releases/latest`));
    assert.equal(
      limited.message,
      "failure getting a version tag from the Github API response (are you getting rate limited by Github?)",
    );
    assert.deepEqual(await provide(given, sourceOf(`${origin}/repos/boot2docker/boot2docker/releases`)), cd);
    assert.ok(asked.includes("/boot2docker/boot2docker/releases/download/v19.03.12/boot2docker.iso"));
  });

  test("is refused where it is none, not there, or could be another's", async () => {
    await using given = await testDriverContext("web");
    const errors = [
      await refusalOf(given, sourceOf(`${origin}/disk.iso`)),
      await refusalOf(given, sourceOf(`${origin}/nothing.iso`)),
      await refusalOf(given, sourceOf("/no/such.iso")),
      await refusalOf(given, sourceOf("http://192.0.2.1/b.iso")),
    ];
    assert.deepEqual(
      errors.map(({ code }) => code),
      ["image-unusable", "download-failed", "image-unusable", "download-failed"],
    );
    assert.match(errors[3]?.hint ?? "", /--virtualbox-image-checksum/u);
  });
});
