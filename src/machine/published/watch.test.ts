import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import * as path from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FakeContainerPorts } from "../../testing/fake-driver.ts";
import { never, Scene } from "../../testing/scene.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { pickFreePort } from "../../system/loopback-port.ts";
import type { MachineContext } from "../machine-context.ts";
import { openHost } from "../host/open-host.ts";
import { publishedFacts } from "./published-facts.ts";
import { watchPublished } from "./watch.ts";

/** A container as the engine tells it. */
const container = (name: string, port: number, address = "0.0.0.0") => ({
  Names: [`/${name}`],
  Ports: [{ IP: address, PrivatePort: 80, PublicPort: port, Type: "tcp" }],
});

/** A machine with an engine, and a watcher at work on it in fake time. */
class WatchedScene implements AsyncDisposable {
  readonly scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
  readonly ports = new FakeContainerPorts();
  readonly clock = new FakeClock();
  readonly context: MachineContext = { ...this.scene.context, clock: this.clock };
  readonly #stop = new AbortController();
  watch: Promise<void> = Promise.resolve();

  static async open(): Promise<WatchedScene> {
    const made = new WatchedScene();
    made.scene.world.containerPorts = made.ports;
    await made.scene.create();
    return made;
  }

  get engine() {
    return this.scene.engine ?? assert.fail("there is no engine");
  }

  get dir(): string {
    return this.context.store.machineDir("web");
  }

  begin(): this {
    this.watch = watchPublished(this.context, "web", this.#stop.signal);
    return this;
  }

  stop(): void {
    this.#stop.abort(new Error("stopped"));
  }

  /** Lets time pass until it is so. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let round = 0; !(await holds()); round++) {
      if (round === 5_000) assert.fail(`never: ${what}: ${log(this)}`);
      await this.clock.advance(50);
      await delay(1);
    }
  }

  async facts() {
    await using host = await openHost(this.context, "web");
    return await publishedFacts(host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.until("the watcher ends", async () => await Promise.race([this.watch.then(() => true), delay(1, false)]));
    await this.scene[Symbol.asyncDispose]();
  }
}

function log({ dir }: WatchedScene): string {
  const file = path.join(dir, "published.log");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

describe("the watcher of a machine's ports", () => {
  it("opens what containers publish when it comes, and follows those that start and end", async () => {
    await using made = await WatchedScene.open();
    const [first, second] = [await pickFreePort(new Set()), await pickFreePort(new Set())];
    made.engine.containers = [container("web", first)];
    made.begin();
    await made.until("the first is open", () => made.ports.open.includes(`${first}/tcp`));
    made.engine.become([container("web", first), container("db", second)]);
    await made.until("the second is open", () => made.ports.open.length === 2);
    made.engine.become([container("db", second)]);
    await made.until("the first is closed", () => made.ports.open.join() === `${second}/tcp`);
    await made.until("that is noted", async () => (await made.facts())?.ports.length === 1);
    assert.deepEqual(await made.facts(), {
      isWatched: true,
      ports: [{ protocol: "tcp", port: second, containers: ["db"], outcome: "open" }],
      trouble: undefined,
    });
    assert.match(log(made), new RegExp(`${first}/tcp is published no more`, "u"));
    for (const file of ["published.json", "published.log"]) assert.equal(statSync(path.join(made.dir, file)).mode & 0o777, 0o600);
  });

  it("says which port is taken here and takes it once it is free", async () => {
    await using made = await WatchedScene.open();
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    made.engine.containers = [container("web", port), container("db", 5432, "127.0.0.1"), container("odd", 22)];
    made.begin();
    await made.until("it is noted", async () => (await made.facts())?.ports.length === 2);
    assert.deepEqual(
      new Map((await made.facts())?.ports.map((each) => [each.port, each.outcome])),
      new Map([
        [5432, "inside"],
        [port, "in-use"],
      ]),
    );
    const asked = made.ports.asked;
    await made.clock.advance(30_000);
    assert.equal(made.ports.asked, asked, "a port that is taken is looked at, and the machine left alone");
    other.close();
    await made.until("it is taken", () => made.ports.open.join() === `${port}/tcp`);
  });

  it("hears an engine again that was restarted, and what became of its containers meanwhile", async () => {
    await using made = await WatchedScene.open();
    const [first, second] = [await pickFreePort(new Set()), await pickFreePort(new Set())];
    made.engine.containers = [container("web", first)];
    made.begin();
    await made.until("it is open", () => made.ports.open.length === 1);
    const { port } = made.engine.address;
    await made.engine[Symbol.asyncDispose]();
    await made.until("the trouble is told", async () => (await made.facts())?.trouble !== undefined);
    assert.deepEqual(made.ports.open, [`${first}/tcp`], "the containers may have lived on");
    made.scene.engine = await made.scene.startEngine(port);
    made.engine.containers = [container("web", second)];
    await made.until("the other is open", () => made.ports.open.join() === `${second}/tcp`);
    await made.until("the trouble is over", async () => (await made.facts())?.trouble === undefined);
  });

  it("listens anew each minute: a guest that was reset leaves a connection that nobody ends", async () => {
    await using made = await WatchedScene.open();
    made.begin();
    await made.until("it has looked", () => made.ports.asked === 1);
    const port = await pickFreePort(new Set());
    made.engine.containers = [container("web", port)];
    await made.until("it is open without an event", () => made.ports.open.length === 1);
    assert.ok(made.clock.monotonicMs() >= 60_000, "and asks no sooner");
    await made.until("the old connection is closed", () => made.engine.listeners === 1);
  });

  it("ends with the machine's run, also while the engine is silent, and leaves no note", async () => {
    await using made = await WatchedScene.open();
    made.begin();
    await made.until("it listens", () => made.engine.listeners === 1);
    made.ports.runId = undefined;
    await made.engine[Symbol.asyncDispose]();
    await made.until("it ends", async () => await Promise.race([made.watch.then(() => true), delay(1, false)]));
    assert.ok(!existsSync(path.join(made.dir, "published.json")));
    assert.match(log(made), /The machine's run is over/u);
    assert.deepEqual(await made.facts(), { isWatched: false, ports: [] });
  });

  it("ends with the run that it watches, also where the machine runs anew by then", async () => {
    await using made = await WatchedScene.open();
    made.begin();
    await made.until("it listens", () => made.engine.listeners === 1);
    made.ports.runId = "second run";
    const { port } = made.engine.address;
    await made.engine[Symbol.asyncDispose]();
    made.scene.engine = await made.scene.startEngine(port);
    await made.until("it ends", async () => await Promise.race([made.watch.then(() => true), delay(1, false)]));
    assert.ok(!existsSync(path.join(made.dir, "published.json")));
  });

  it("closes the ports where it alone is ended", async () => {
    await using made = await WatchedScene.open();
    made.engine.containers = [container("web", await pickFreePort(new Set()))];
    made.begin();
    await made.until("it is open", () => made.ports.open.length === 1);
    made.stop();
    await made.watch;
    assert.deepEqual(made.ports.open, []);
  });

  it("is one for each run of a machine, and the next run's waits for the one before to end", async () => {
    await using made = await WatchedScene.open();
    made.begin();
    await made.until("it has looked", () => made.ports.asked === 1);
    await watchPublished(made.context, "web", never);
    assert.equal(made.engine.listeners, 1, "the second left at once");
    made.ports.runId = "second run";
    const stop = new AbortController();
    const next = watchPublished(made.context, "web", stop.signal);
    await made.until("it waits", () => made.clock.monotonicMs() > 1_000);
    made.stop();
    await made.until("it takes over", async () => /Watching the run second run/u.test(log(made)));
    stop.abort(new Error("stopped"));
    await next;
  });

  it("leaves a machine that has another name by now to another", async () => {
    await using made = await WatchedScene.open();
    made.begin();
    await made.until("it listens", () => made.engine.listeners === 1);
    renameSync(made.dir, `${made.dir}-2`);
    made.engine.become([]);
    await made.until("it ends", async () => await Promise.race([made.watch.then(() => true), delay(1, false)]));
    assert.ok(!existsSync(made.dir));
  });
});
