/**
 * Writing to a file descriptor at once, with nothing loaded for it: Node's file system costs the executable a seventh of
 * `version`. Part of the composition root.
 */

/** What Bun has of its own. */
interface BunRuntime {
  /** Of a number writes to that descriptor, at once where it takes what it is given whole. */
  write(descriptor: number, bytes: Uint8Array): Promise<number>;
  peek: {
    <Value>(promise: Promise<Value>): Promise<Value> | Value;
    status(promise: Promise<unknown>): "pending" | "fulfilled" | "rejected";
  };
}

declare const Bun: BunRuntime | undefined;

/** Node's own way to its terminals, which Bun keeps for what is older; `node:tty` loads all of its sockets. */
interface NodeBindings {
  binding(name: "tty_wrap"): { isTTY(descriptor: number): boolean };
}

/** How many bytes were taken, and where the runtime is still at them, until when; or why none were. */
export type Written = { readonly bytes: number; readonly pending?: Promise<unknown> } | { readonly error: unknown };

export interface Descriptor {
  /** Takes a part or all of the bytes. Never throws. */
  write(bytes: Uint8Array): Written;
  /** False for files, pipes, sockets, what leads nowhere, and what is closed. */
  mayBeTerminal(): boolean;
}

/** The descriptor of that number, in the way of the runtime. */
export function openDescriptor(number: number): Descriptor {
  return typeof Bun === "undefined" ? nodeDescriptor(number) : bunDescriptor(Bun, number);
}

const nowhere = "/dev/null";

export function nodeDescriptor(number: number): Descriptor {
  const fs = process.getBuiltinModule("node:fs");
  return {
    write(bytes) {
      try {
        return { bytes: fs.writeSync(number, bytes) };
      } catch (error) {
        return { error };
      }
    },
    mayBeTerminal() {
      try {
        const seen = fs.fstatSync(number);
        return seen.isCharacterDevice() && seen.rdev !== fs.statSync(nowhere, { throwIfNoEntry: false })?.rdev;
      } catch {
        return false;
      }
    },
  };
}

/** So much a pipe takes whole or not at all (PIPE_BUF). Of more, Bun writes a part twice where the pipe is full and does not wait. */
const wholeBytes = process.platform === "linux" ? 4_096 : 512;

function bunDescriptor(bun: BunRuntime, number: number): Descriptor {
  return {
    write(bytes) {
      const part = bytes.subarray(0, wholeBytes);
      const writing = bun.write(number, part);
      switch (bun.peek.status(writing)) {
        case "fulfilled":
          return { bytes: part.length };
        case "rejected":
          writing.catch(() => {});
          return { error: bun.peek(writing) };
        case "pending":
          return { bytes: part.length, pending: writing };
      }
    },
    mayBeTerminal: () => (process as unknown as NodeBindings).binding("tty_wrap").isTTY(number),
  };
}
