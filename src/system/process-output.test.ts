import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describe, it } from "node:test";
import { nodeDescriptor, type Written } from "./descriptor.ts";
import { ProcessOutput } from "./process-output.ts";

function output(number: number, stream: () => unknown = noStream): ProcessOutput {
  const descriptor = nodeDescriptor(number);
  return new ProcessOutput({ descriptor, stream: stream as () => NodeJS.WriteStream, needsStream: false });
}

function noStream(): never {
  assert.fail("no stream is needed");
}

/** A stand-in for the stream object: keeps what it is given. */
class FakeStream {
  readonly chunks: (string | Uint8Array)[] = [];
  readonly columns = undefined;
  on(): this {
    return this;
  }
  write(chunk: string | Uint8Array): boolean {
    this.chunks.push(chunk);
    return true;
  }
}

function inFolder(action: (folder: string) => void): void {
  const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-output-"));
  try {
    action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("ProcessOutput", () => {
  it("writes text and bytes to its descriptor at once", () => {
    inFolder((folder) => {
      const file = path.join(folder, "out");
      const descriptor = openSync(file, "w");
      const target = output(descriptor);
      target.write("grüße\n");
      target.write(Uint8Array.of(0, 255));
      assert.deepEqual(readFileSync(file), Buffer.concat([Buffer.from("grüße\n"), Buffer.of(0, 255)]));
      assert.deepEqual([target.isTerminal, target.failure], [false, undefined]);
      closeSync(descriptor);
    });
  });

  it("hands over to the stream where a pipe is full, and loses nothing", () => {
    inFolder((folder) => {
      const pipe = path.join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
      const stream = new FakeStream();
      const target = output(descriptor, () => stream);
      const sent = "x".repeat(1 << 20);
      target.write(sent);
      target.write("tail");
      const inPipe = Buffer.alloc(1 << 20);
      const direct = inPipe.subarray(0, readSync(descriptor, inPipe)).toString();
      const rest = stream.chunks.map((chunk) => Buffer.from(chunk as Uint8Array).toString()).join("");
      assert.ok(direct.length > 0 && direct.length < sent.length);
      assert.equal(direct + rest, `${sent}tail`);
      closeSync(descriptor);
    });
  });

  it("keeps what comes while the runtime is still at what it was given, in its order", async () => {
    const taken: string[] = [];
    const busy = Promise.withResolvers<void>();
    const descriptor = {
      mayBeTerminal: () => false,
      write(bytes: Uint8Array): Written {
        const part = Buffer.from(bytes.subarray(0, 4)).toString();
        taken.push(part);
        return taken.length === 2 ? { bytes: part.length, pending: busy.promise } : { bytes: part.length };
      },
    };
    const target = new ProcessOutput({ descriptor, stream: noStream, needsStream: false });
    target.write("one two three");
    target.write(" four");
    assert.deepEqual([taken, target.isWritten], [["one ", "two "], false]);
    busy.resolve();
    await busy.promise;
    assert.deepEqual([taken.join(""), target.isWritten], ["one two three four", true]);
  });

  it("knows the error of what the runtime was still at", async () => {
    const pending = Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" }));
    const descriptor = { mayBeTerminal: () => false, write: (bytes: Uint8Array): Written => ({ bytes: bytes.length, pending }) };
    const target = new ProcessOutput({ descriptor, stream: noStream, needsStream: false });
    target.write("x");
    await assert.rejects(pending);
    assert.equal((target.failure as NodeJS.ErrnoException).code, "ENOSPC");
    assert.equal(target.isWritten, true);
  });

  it("remembers what made writing fail, and stops", () => {
    const descriptor = openSync("/dev/full", "w");
    const target = output(descriptor);
    target.write("x");
    assert.equal((target.failure as NodeJS.ErrnoException).code, "ENOSPC");
    closeSync(descriptor);
    target.write("y");
    assert.equal((target.failure as NodeJS.ErrnoException).code, "ENOSPC");
  });

  it("counts a reader that went away, of a pipe or of a socket, as no failure", () => {
    for (const [code, failure] of [["EPIPE"], ["ECONNRESET"], ["EIO", "EIO"]]) {
      const stream = Object.assign(new EventEmitter(), { write: () => true });
      const target = new ProcessOutput({
        descriptor: nodeDescriptor(2),
        stream: () => stream as unknown as NodeJS.WriteStream,
        needsStream: true,
      });
      target.write("x");
      stream.emit("error", Object.assign(new Error("write"), { code }));
      assert.equal((target.failure as NodeJS.ErrnoException | undefined)?.code, failure);
    }
  });

  it("takes 80 columns for what is no terminal", () => {
    assert.equal(output(2, () => new FakeStream()).columns, 80);
  });
});

it("what leads nowhere is no terminal, though it is a device as terminals are", { skip: process.platform === "win32" }, () => {
  const nowhere = openSync("/dev/null", "w");
  try {
    assert.equal(nodeDescriptor(nowhere).mayBeTerminal(), false);
  } finally {
    closeSync(nowhere);
  }
});
