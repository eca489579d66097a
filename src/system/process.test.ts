import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { thisComputer } from "./computer.ts";
import { SystemProcessRunner } from "./process.ts";

const runner = new SystemProcessRunner(thisComputer());
const node = process.execPath;
const piece = Buffer.alloc(1 << 20, 7);

/** Says how much it has read, once all has come. */
const count = 'let n = 0; process.stdin.on("data", (b) => (n += b.length)).on("end", () => console.log(n))';

describe("input that is given piece by piece", () => {
  it("arrives whole, and a piece is asked for when the one before has left", async () => {
    let waiting = 0;
    let mostWaiting = 0;
    const result = await runner.run(node, ["-e", count], {
      stdin: async (write) => {
        for (let index = 0; index < 64; index += 1) {
          mostWaiting = Math.max(mostWaiting, (waiting += 1));
          await write(piece);
          waiting -= 1;
        }
      },
    });
    assert.equal(result.stdout.toString(), `${64 << 20}\n`);
    assert.equal(mostWaiting, 1);
  });

  it("that nobody reads any more ends, and the program's status tells", async () => {
    let written = 0;
    const result = await runner.run(node, ["-e", "process.exit(3)"], {
      stdin: async (write) => {
        for (;;) {
          await write(piece);
          written += 1;
        }
      },
    });
    assert.equal(result.status, 3);
    assert.ok(written < 64);
  });

  it("that cannot be had ends the program, and is what is thrown", async () => {
    const broken = new Error("the image is damaged");
    const running = runner.run(node, ["-e", count], {
      stdin: async (write) => {
        await write(piece);
        throw broken;
      },
    });
    await assert.rejects(running, (error) => error === broken);
  });

  it("ends with the signal", async () => {
    const stop = new AbortController();
    const running = runner.run(node, ["-e", "setInterval(() => {}, 1000)"], {
      signal: stop.signal,
      stdin: async (write) => {
        stop.abort(new Error("enough"));
        for (;;) await write(piece);
      },
    });
    await assert.rejects(running, /enough/u);
  });
});

it("a program that has ended, and left its pipes to another, is given up when that is asked for", async () => {
  const stop = new AbortController();
  let ended = (): void => {};
  const running = runner.run("sh", ["-c", "sleep 20 & echo $!"], {
    signal: stop.signal,
    onStdout: (pid) => {
      setTimeout(() => stop.abort(new Error("enough")), 300);
      ended = () => process.kill(Number(pid));
    },
  });
  const startedMs = performance.now();
  await assert.rejects(running, /enough/u);
  assert.ok(performance.now() - startedMs < 10_000);
  ended();
});
