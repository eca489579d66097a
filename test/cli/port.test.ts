/** `port` on the command line: over SSH, for machines whose driver opens none. QEMU's own are tested with its driver. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import * as net from "node:net";
import { after, before, describe, it } from "node:test";
import { pickFreePort } from "../../src/system/loopback-port.ts";
import { startSshd, whyNot, type TestServer } from "../ssh/real-servers.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { addSshMachine } from "./ssh-machines.ts";

describe("port", { skip: whyNot("sshd") ?? false }, () => {
  let sshd: TestServer;
  let service: Server;
  let shell: CommandLine;
  let there: number;

  before(async () => {
    sshd = await startSshd();
    service = createServer((socket) => socket.end("from the machine\n")).listen(0, "127.0.0.1");
    await once(service, "listening");
    there = (service.address() as AddressInfo).port;
    shell = await openCommandLine();
    await addSshMachine(shell, sshd, { name: "web" });
  });
  after(async () => {
    service.close();
    await shell[Symbol.asyncDispose]();
    await sshd.stop();
  });

  it("is carried for as long as the command runs, and closed with it", async () => {
    const here = await pickFreePort(new Set());
    const child = shell.start(["port", "web", `${here}:${there}`]);
    let said = "";
    for await (const chunk of child.stderr.setEncoding("utf8")) {
      said += chunk as string;
      if (said.includes("until this is interrupted")) break;
    }
    assert.match(said, new RegExp(`127\\.0\\.0\\.1:${here} leads to port ${there} of "web" until this is interrupted\\.`, "u"));
    assert.equal(await answerAt(here), "from the machine\n");
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 130);
    await assert.rejects(answerOnce(here));
  });

  it("refuses what cannot be had, in one sentence", async () => {
    const taken = String(there);
    for (const [words, code, sentence] of [
      [["port", "web"], 1, /^"web" has no ports of its own on this computer\nHint: .*docker-machine port web 8080:80/mu],
      [["port", "web", "http"], 2, /^"http" is no port\nHint: Give it as 8080:80/mu],
      [["port", "web", "70000:80"], 2, /is no port/u],
      [["port", "web", "127.0.0.256:8080:80"], 2, /is no port/u],
      [["port", "web", "53:53/udp"], 1, /^SSH carries no UDP/mu],
      [["port", "web", `${taken}:80`], 1, new RegExp(`^Port ${taken} at 127\\.0\\.0\\.1 cannot be had: in-use\\nHint: `, "mu")],
      [["port", "web", "--close", "8080"], 1, /has no ports of its own/u],
      [["port", "nobody", "8080:80"], 4, /Docker machine "nobody" does not exist/u],
      [["port"], 2, /Expected a machine name/u],
    ] as const) {
      const result = await shell.run([...words]);
      assert.equal(result.code, code, `${words.join(" ")}: ${result.stderr}`);
      assert.match(result.stderr, sentence, words.join(" "));
    }
  });
});

/** Until somebody listens there: ssh says nothing when it does. */
async function answerAt(port: number): Promise<string> {
  for (const soon = AbortSignal.timeout(20_000); ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    soon.throwIfAborted();
    const answer = await answerOnce(port).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
}

async function answerOnce(port: number): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) text += chunk as string;
  return text;
}
