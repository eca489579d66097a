import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import * as path from "node:path";
import { describe, it } from "node:test";
import { assemble } from "../assembly/assemble.ts";
import { driverOptions } from "../driver-kit/create-flag.ts";
import { reportNothing } from "../log/event.ts";
import { thisComputer } from "../system/computer.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { findActive } from "./active.ts";
import { createMachine } from "./create.ts";
import { listMachines } from "./list.ts";
import type { MachineContext } from "./machine-context.ts";

const never = new AbortController().signal;

/** Something that listens, and counts who comes. */
class Listener implements AsyncDisposable {
  readonly #server = createServer((socket) => {
    this.visits += 1;
    socket.on("error", () => {}).destroy();
  });
  visits = 0;

  async open(): Promise<this> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return this;
  }

  get url(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function storeWith(urls: Readonly<Record<string, string>>): Promise<MachineContext> {
  const context = assemble({ computer: thisComputer(), storePath: temporaryFolder(), reportFor: () => reportNothing });
  for (const [name, url] of Object.entries(urls)) {
    const options = driverOptions({ url, "tls-key-type": "ecdsa", "engine-source": "auto" });
    await createMachine(context, { name, driverName: "none", options }, never);
  }
  return context;
}

describe("the active machine", () => {
  it("is the one that has the address, and no other is asked", async () => {
    await using here = await new Listener().open();
    await using there = await new Listener().open();
    const context = await storeWith({ a: there.url, b: here.url, c: "tcp://192.0.2.1:2376" });
    assert.equal(await findActive(context, { dockerHost: here.url, timeoutMs: 5_000 }, never), "b");
    assert.deepEqual([here.visits > 0, there.visits], [true, 0]);
  });

  it("is none where no record has the address, or another part of it", async () => {
    await using there = await new Listener().open();
    const context = await storeWith({ a: there.url });
    for (const dockerHost of ["tcp://192.0.2.9:2376", `${there.url}0`, "unix:///var/run/docker.sock", "web"])
      assert.equal(await findActive(context, { dockerHost, timeoutMs: 5_000 }, never), undefined, dockerHost);
    assert.equal(there.visits, 0);
  });

  it("is the one whose entry of ssh_config is named, and no other is asked", async () => {
    await using here = await new Listener().open();
    await using there = await new Listener().open();
    const context = await storeWith({ a: there.url, web: here.url });
    for (const dockerHost of ["ssh://web.docker-machine", "ssh://root@web.docker-machine:22/"])
      assert.equal(await findActive(context, { dockerHost, timeoutMs: 5_000 }, never), "web", dockerHost);
    assert.equal(there.visits, 0);
    for (const dockerHost of ["ssh://web", "ssh://x.docker-machine", "tcp://web.docker-machine", "ssh://web.docker-machine.org"])
      assert.equal(await findActive(context, { dockerHost, timeoutMs: 5_000 }, never), undefined, dockerHost);
  });

  it("is the first of two in the order of ls, also beside a record that cannot be read", async () => {
    await using here = await new Listener().open();
    const context = await storeWith({ web10: here.url, web2: here.url, broken: here.url });
    await writeFile(path.join(context.store.machineDir("broken"), "config.json"), '{"ConfigVersion": 3, "Dri');
    assert.equal(await findActive(context, { dockerHost: here.url, timeoutMs: 5_000 }, never), "web2");
  });

  it("is the master whose swarm has the address", async () => {
    await using here = await new Listener().open();
    const context = await storeWith({ master: here.url });
    const record = await context.store.load("master");
    Object.assign(record.hostOptions.SwarmOptions, { Master: true, Host: "tcp://0.0.0.0:3376" });
    await context.store.save(record);
    assert.equal(await findActive(context, { dockerHost: "tcp://127.0.0.1:3376", timeoutMs: 5_000 }, never), "master");
  });

  it("is not known where its machine did not answer in time", async () => {
    await using here = await new Listener().open();
    const context = await storeWith({ a: here.url });
    await assert.rejects(findActive(context, { dockerHost: here.url, timeoutMs: 0 }, never), { code: "timeout" });
  });
});

describe("a list", () => {
  it("asks those alone that pass by their records, and nobody where the record says all", async () => {
    await using wanted = await new Listener().open();
    await using other = await new Listener().open();
    const context = await storeWith({ a: wanted.url, b: other.url });
    const select = ({ name }: { readonly name: string }): boolean => name === "a";
    const quick = await listMachines(context, { timeoutMs: 5_000, depth: "record" }, never);
    assert.deepEqual(
      quick.map(({ name, driverName, state }) => [name, driverName, state]),
      [
        ["a", "none", ""],
        ["b", "none", ""],
      ],
    );
    assert.deepEqual([wanted.visits, other.visits], [0, 0]);
    const heard: string[] = [];
    const request = { timeoutMs: 5_000, select, onListed: ({ name }: { readonly name: string }) => heard.push(name) };
    assert.deepEqual(
      (await listMachines(context, request, never)).map(({ name }) => name),
      ["a"],
    );
    assert.deepEqual([wanted.visits > 0, other.visits, heard], [true, 0, ["a"]]);
  });

  it("says who did not answer in time", async () => {
    const context = await storeWith({ a: "tcp://127.0.0.1:1" });
    const [machine] = await listMachines(context, { timeoutMs: 0 }, never);
    assert.deepEqual([machine?.state, machine?.reason], ["Timeout", "its driver did not answer within 0 s"]);
  });
});
