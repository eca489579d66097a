import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import type { ProgressEvent } from "../log/event.ts";
import { systemClock, type Clock } from "./clock.ts";
import { download, fetchText, findChecksum, parseChecksum, type DownloadContext } from "./http.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-http-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Pauses between attempts are short; bounds stay. */
const hurried: Clock = {
  ...systemClock,
  sleep: async (ms, signal) => await systemClock.sleep(ms === 1_000 ? 1 : ms, signal),
};

const content = randomBytes(300_000);
const checksum = { algorithm: "sha256", hex: createHash("sha256").update(content).digest("hex") } as const;
let counter = 0;

interface Served extends AsyncDisposable {
  readonly url: string;
  /** Range headers of the requests, "" without one. */
  readonly ranges: string[];
}

/** A server whose n-th answer is given by `answers`; the last one is repeated. */
async function serve(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]): Promise<Served> {
  const ranges: string[] = [];
  const server: Server = createServer((request, response) => {
    ranges.push(request.headers.range ?? "");
    (answers[ranges.length - 1] ?? answers.at(-1))?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/disk.img`,
    ranges,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Serves the file as a good server does, ranges and all. */
function whole(etag = '"1"', bytes = content) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const start = Number(/^bytes=(\d+)-$/u.exec(request.headers.range ?? "")?.[1] ?? 0);
    const partial = start > 0 && request.headers["if-range"] === etag;
    if (partial && start >= bytes.length) return void response.writeHead(416).end();
    const body = partial ? bytes.subarray(start) : bytes;
    response.writeHead(partial ? 206 : 200, { "content-length": body.length, etag });
    response.end(body);
  };
}

/** Broken off when some of what they sent has arrived, see {@link context}. */
const hanging = new Set<ServerResponse>();

/** Sends the beginning of the file and breaks the connection. */
function broken(sent: number, etag = '"1"') {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { "content-length": content.length, etag });
    response.write(content.subarray(0, sent));
    hanging.add(response);
  };
}

function breakOff(): void {
  for (const response of hanging) response.destroy();
  hanging.clear();
}

function request(url: string, wanted = checksum): Parameters<typeof download>[0] {
  return { url, file: path.join(scratch, `file-${(counter += 1)}`), checksum: wanted, what: "disk.img" };
}

function context(events: ProgressEvent[] = []): DownloadContext {
  const report = (event: ProgressEvent): void => {
    events.push(event);
    breakOff();
  };
  return { report, clock: hurried, signal: AbortSignal.timeout(10_000), env: {}, idleTimeoutMs: 200 };
}

describe("download", () => {
  test("writes the file, shows progress to its end and leaves nothing beside it", async () => {
    await using server = await serve(whole());
    const wanted = request(server.url);
    const events: ProgressEvent[] = [];
    await download(wanted, context(events));
    assert.deepEqual(readFileSync(wanted.file), content);
    assert.deepEqual(events.at(-1), {
      type: "transfer",
      what: "disk.img",
      doneBytes: content.length,
      totalBytes: content.length,
    });
    assert.deepEqual([existsSync(`${wanted.file}.part`), existsSync(`${wanted.file}.part.json`)], [false, false]);
  });

  test("goes on where the connection broke, at once", async () => {
    await using server = await serve(broken(100_000), whole());
    const wanted = request(server.url);
    await download(wanted, context());
    assert.deepEqual(readFileSync(wanted.file), content);
    assert.equal(server.ranges.length, 2);
    assert.match(server.ranges[1] ?? "", /^bytes=[1-9]\d*-$/u);
  });

  test("goes on where an earlier run was stopped", async () => {
    await using server = await serve(broken(100_000), (_request, response) => response.destroy());
    const wanted = request(server.url);
    await assert.rejects(
      download(wanted, context()),
      (error) => isMachineError(error, "download-failed") && /continues where it stopped/u.test(error.hint ?? ""),
    );
    const arrived = statSync(`${wanted.file}.part`).size;
    assert.ok(arrived > 0);
    await using recovered = await serve(whole());
    // The same URL, as it would be on another day.
    const note = JSON.parse(readFileSync(`${wanted.file}.part.json`, "utf8")) as object;
    writeFileSync(`${wanted.file}.part.json`, JSON.stringify({ ...note, url: recovered.url }));
    await download({ ...wanted, url: recovered.url }, context());
    assert.deepEqual(readFileSync(wanted.file), content);
    assert.deepEqual(recovered.ranges, [`bytes=${arrived}-`]);
  });

  test("starts anew when the file has changed on the server meanwhile", async () => {
    await using server = await serve(broken(100_000, '"old"'), whole('"new"'));
    const wanted = request(server.url);
    await download(wanted, context());
    assert.deepEqual(readFileSync(wanted.file), content);
  });

  test("nothing is resumed of another URL, or without a mark of the version", async () => {
    await using server = await serve(whole());
    const wanted = request(server.url);
    writeFileSync(`${wanted.file}.part`, "rubbish");
    writeFileSync(`${wanted.file}.part.json`, JSON.stringify({ url: "http://elsewhere.invalid/", validator: '"1"' }));
    await download(wanted, context());
    assert.deepEqual(server.ranges, [""]);
    await using unmarked = await serve(broken(1_000, 'W/"1"'), whole());
    await download(request(unmarked.url), context());
    // A connection may break once more where the computer is busy.
    assert.ok(unmarked.ranges.length >= 2);
    assert.deepEqual([...new Set(unmarked.ranges)], [""]);
  });

  test("a wrong checksum is told with both digests, and nothing is kept", async () => {
    await using server = await serve(whole('"1"', Buffer.from("something else")));
    const wanted = request(server.url);
    await assert.rejects(
      download(wanted, context()),
      (error) =>
        isMachineError(error, "download-failed") &&
        /wrong sha256 checksum/u.test(error.message) &&
        (error.hint?.includes(checksum.hex) ?? false),
    );
    assert.deepEqual([existsSync(wanted.file), existsSync(`${wanted.file}.part`)], [false, false]);
  });

  test("follows redirects, but not for ever", async () => {
    await using target = await serve(whole());
    await using server = await serve((_request, response) => void response.writeHead(302, { location: target.url }).end());
    await download(request(server.url), context());
    await using loop = await serve((_request, response) => void response.writeHead(302, { location: "/again" }).end());
    await assert.rejects(
      download(request(loop.url), context()),
      (error) => isMachineError(error, "download-failed") && /redirects more than 5 times/u.test(error.message),
    );
  });

  test("an answer that is none, a server that is silent, one that is not there, and what is no web address", async () => {
    await using missing = await serve((_request, response) => void response.writeHead(404).end());
    await assert.rejects(
      download(request(missing.url), context()),
      (error) => isMachineError(error, "download-failed") && /answered with status 404 Not Found/u.test(error.message),
    );
    await using silent = await serve(() => {});
    await assert.rejects(
      download(request(silent.url), context()),
      (error) => isMachineError(error, "download-failed") && /did not answer within 0.2 s/u.test(error.message),
    );
    await assert.rejects(download(request("http://127.0.0.1:1/x"), context()), (error) =>
      isMachineError(error, "download-failed"),
    );
    await assert.rejects(
      download(request("ftp://127.0.0.1/x"), context()),
      (error) => isMachineError(error, "download-failed") && /neither an https nor an http/u.test(error.message),
    );
  });

  test("an abort ends it with the signal's reason", async () => {
    await using server = await serve(() => {});
    const abort = new AbortController();
    const waiting = download(request(server.url), { ...context(), signal: abort.signal, idleTimeoutMs: 60_000 });
    abort.abort(new Error("stop"));
    await assert.rejects(waiting, /stop/u);
  });
});

describe("small texts and checksums", () => {
  test("a text is bounded", async () => {
    await using server = await serve((_request, response) => void response.end("x".repeat(100)));
    assert.equal(await fetchText(server.url, 100, context()), "x".repeat(100));
    await assert.rejects(
      fetchText(server.url, 99, context()),
      (error) => isMachineError(error, "download-failed") && /larger than 99 bytes/u.test(error.message),
    );
  });

  test("a checksum tells its kind by its length, or says it", () => {
    const hex = { sha256: "a".repeat(64), sha512: "b".repeat(128) };
    assert.deepEqual(parseChecksum(hex.sha256), { algorithm: "sha256", hex: hex.sha256 });
    assert.deepEqual(parseChecksum(`sha512:${hex.sha512.toUpperCase()}`), { algorithm: "sha512", hex: hex.sha512 });
    for (const wrong of ["", "abc", `sha512:${hex.sha256}`, `md5:${"a".repeat(32)}`, "g".repeat(64)])
      assert.equal(parseChecksum(wrong), undefined, wrong);
  });

  test("a list is read as sha256sum writes it", () => {
    const list = `${"a".repeat(64)}  other.img\n${"b".repeat(64)} *disk.img\n`;
    assert.equal(findChecksum(list, "disk.img")?.hex, "b".repeat(64));
    assert.equal(findChecksum(list, "isk.img"), undefined);
  });
});
