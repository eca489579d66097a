import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { SFTPWrapper } from "ssh2";
import { isMachineError } from "../errors/machine-error.ts";
import { FakeClock } from "../system/fake-clock.ts";
import { sftpAnswerMs } from "./copy-bounds.ts";
import { SftpTree } from "./sftp-tree.ts";

/** A server of one file that gives so many bytes at once, and answers in turn. */
class OneFile {
  readonly content: Buffer;
  readonly written: Buffer;
  readonly #most: number;
  readonly reads: number[] = [];
  answers = true;

  constructor(bytes: number, most = Infinity) {
    this.content = randomBytes(bytes);
    this.written = Buffer.alloc(bytes);
    this.#most = most;
  }

  get sftp(): SFTPWrapper {
    const open = (_path: string, _flags: string, ...rest: unknown[]): void => this.#answer(rest.at(-1), Buffer.from("handle"));
    const close = (_handle: Buffer, done: unknown): void => this.#answer(done, undefined);
    const read = (_handle: Buffer, into: Buffer, at: number, length: number, position: number, done: unknown): void => {
      this.reads.push(length);
      const given = this.content.copy(into, at, position, position + Math.min(length, this.#most));
      this.#answer(done, given);
    };
    const write = (_handle: Buffer, from: Buffer, at: number, length: number, position: number, done: unknown): void => {
      from.copy(this.written, position, at, at + length);
      this.#answer(done, undefined);
    };
    return { open, close, read, write } as unknown as SFTPWrapper;
  }

  #answer(done: unknown, result: unknown): void {
    if (this.answers) setImmediate(() => (done as (error: undefined, result: unknown) => void)(undefined, result));
  }
}

function treeOf(file: OneFile, clock = new FakeClock(), signal?: AbortSignal): SftpTree {
  return new SftpTree(file.sftp, "web", clock, signal);
}

async function contentOf(tree: SftpTree): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of tree.read("f")) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

for (const [bytes, most, reads] of [
  [0, Infinity, 10],
  [1, Infinity, 12],
  [3_000_000, Infinity, 40],
  [3_000_000, 65_536, 120],
  [200_000, 1_000, 400],
] as const) {
  test(`a file of ${bytes} bytes from a server that gives ${most} at once comes whole, by at most ${reads} requests`, async () => {
    const file = new OneFile(bytes, most);
    assert.ok((await contentOf(treeOf(file))).equals(file.content));
    assert.ok(file.reads.length <= reads, `it took ${file.reads.length}`);
  });
}

test("chunks of any size arrive where they belong", async () => {
  const file = new OneFile(5_000_000);
  const pieces = [1, 70_000, 0, 300_000, 4_000_000, 629_999];
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (const length of pieces) yield file.content.subarray(at, (at += length));
  };
  await treeOf(file).write("f", 0o644, chunks());
  assert.ok(file.written.equals(file.content));
});

test("a server that leaves one of many requests unanswered is given up after its time, and asked nothing more", async () => {
  const clock = new FakeClock();
  const file = new OneFile(1_000_000);
  const tree = treeOf(file, clock);
  const reading = tree.read("f")[Symbol.asyncIterator]();
  await reading.next();
  file.answers = false;
  const outcome = (async (): Promise<unknown> => {
    for (;;) if ((await reading.next()).done === true) return undefined;
  })().catch((error: unknown) => error);
  const ended = outcome.then(() => true);
  const turn = (): Promise<boolean> => new Promise((resolve) => setImmediate(() => resolve(false)));
  for (let advanced = 0; !(await Promise.race([ended, turn()])); advanced += 1_000) {
    assert.ok(advanced <= 2 * sftpAnswerMs, "it waits for ever");
    await clock.advance(1_000);
  }
  assert.ok(isMachineError(await outcome, "timeout"));
  const before = file.reads.length;
  await assert.rejects(contentOf(tree), (error) => isMachineError(error, "timeout"));
  assert.equal(file.reads.length, before);
});

test("an abort gives its reason while requests are under way", async () => {
  const file = new OneFile(1_000_000);
  file.answers = false;
  const reason = new Error("not any more");
  const stop = new AbortController();
  const reading = contentOf(treeOf(file, new FakeClock(), stop.signal));
  stop.abort(reason);
  await assert.rejects(reading, reason);
});
