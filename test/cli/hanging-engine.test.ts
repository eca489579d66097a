/** An engine that takes connections and says nothing, as one that hangs: what commands at a terminal say, and when. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";
import { programUnderTest } from "../golden/replay.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";

describe("an engine that hangs", { concurrency: true }, () => {
  const silent = createServer((socket) => void socket.on("error", () => {}));
  let shell: CommandLine;

  before(async () => {
    await once(silent.listen(0, "127.0.0.1"), "listening");
    shell = await openCommandLine();
    await shell.ok(`create -d none --url tcp://127.0.0.1:${(silent.address() as AddressInfo).port} mute`);
  });
  after(async () => {
    silent.close();
    silent.unref();
    await shell[Symbol.asyncDispose]();
  });

  for (const words of [
    ["env", "mute"],
    ["config", "mute"],
    ["with", "mute", "true"],
  ])
    it(`is told by ${words[0]} at a terminal after 5 s, with doctor as the way out`, async () => {
      const command = quoteCommand([...programUnderTest(), ...words]);
      const { stdout, code } = await shell.run([], { program: ["script", "-qec", command, "/dev/null"] });
      assert.equal(code, 1, stdout);
      assert.match(
        stdout,
        /during the TLS handshake \(5 s\)\r\nHint: The engine takes connections and does not answer.* docker-machine doctor mute\r\n/u,
      );
    });
});
