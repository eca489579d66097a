/** Requests whose body is read piece by piece. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { systemClock } from "./clock.ts";
import { HttpClient, type StreamedBody } from "./http-request.ts";

const part = 65_536;
const { signal } = new AbortController();

function bodyOf(parts: number, end?: Error): StreamedBody {
  return {
    sizeBytes: 5 * part,
    open: async function* (): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < parts; count += 1) yield Buffer.alloc(part);
      if (end !== undefined) throw end;
    },
  };
}

describe("a body that is read piece by piece", () => {
  const server = createServer((request, response) => {
    const { "content-length": length, "transfer-encoding": encoding = "none" } = request.headers;
    let count = 0;
    request.on("data", (chunk: Buffer) => void (count += chunk.length));
    request.on("end", () => response.end(`${length} ${encoding} ${count}`));
  });
  before(async () => await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  after(() => server.close());
  const send = async (body: StreamedBody) => {
    const client = new HttpClient({ env: {}, clock: systemClock });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return await client.send({ method: "PUT", url, body }, signal);
  };

  test("is sent with its length, and anew each time", async () => {
    const body = bodyOf(5);
    for (let time = 1; time <= 2; time += 1) assert.equal((await send(body)).text, `${5 * part} none ${5 * part}`);
  });

  test("ends the request with what its source throws, before and after the connection stands", async () => {
    for (const parts of [0, 1, 4])
      await assert.rejects(send(bodyOf(parts, new Error("the file is gone"))), /broke off its answer: the file is gone/u);
  });
});
