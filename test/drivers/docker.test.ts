/** The driver `docker` against a fake engine. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import { builtImageName } from "../../src/drivers/docker/host-image.ts";
import { driverModule } from "../../src/drivers/docker/index.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { describeDriverCrashes } from "../../src/testing/crash-suite.ts";
import { describeDriverContract } from "../../src/testing/driver-contract.ts";
import { newSocket, only, scratch, signal, world } from "./docker-world.ts";
import { FakeEngine, type FakeContainer } from "./fake-engine.ts";

/** A world of its own, with containers of others in it, one of the machine's name on another engine's label. */
async function suiteWorld(step?: (what: string) => Promise<void>) {
  const socket = newSocket();
  const engine = await FakeEngine.listen(socket);
  engine.images.add(builtImageName("trixie"));
  engine.step = step ?? engine.step;
  const foreign = engine.addForeign("somebody-elses");
  const ours = (): FakeContainer | undefined => [...engine.containers.values()].find(({ id }) => id !== foreign);
  return {
    module: driverModule,
    flags: { "docker-host": `unix://${socket}`, "docker-memory": 512, "docker-cpus": "1.5" },
    resources: () => [...engine.containers.keys()].map((id) => ({ kind: "instance", id })),
    loseInstance: () => void engine.containers.delete(ours()?.id ?? ""),
    [Symbol.asyncDispose]: async () => await engine[Symbol.asyncDispose](),
  };
}

describeDriverContract("docker", suiteWorld, { refusedFlags: { "docker-memory": 1 }, lifecycle: { timeoutMs: 60_000 } });
describeDriverCrashes("docker", suiteWorld);

describe("create", () => {
  test("puts keys into the container before it starts, and nothing secret into its configuration", async () => {
    await using w = await world();
    const { driver } = await w.make("web");
    await driver.create(signal());
    const container = only(w.engine);
    assert.match(container.archives[0]?.toString("latin1") ?? "", /BEGIN OPENSSH PRIVATE KEY/u);
    assert.equal(JSON.stringify(container.body).includes("PRIVATE KEY"), false);
    const [hostKey = ""] = (await driver.hostKeys?.()) ?? [];
    assert.ok(container.archives[0]?.includes(hostKey));
    assert.equal(await driver.getState(signal()), "Running");
  });

  test("an attempt that was cut off is removed and begun anew", async () => {
    await using w = await world();
    const { driver, test: testContext } = await w.make("web");
    await driver.create(signal());
    const former = only(w.engine).id;
    const cutOff = JSON.stringify({ ...(JSON.parse(await driver.configText()) as object), Created: false, ContainerId: "" });
    await driverModule.open(testContext.context, cutOff).create(signal());
    assert.notEqual(only(w.engine).id, former);
  });

  test("gives machines lasting addresses from the upper half of a network of its own, and takes the network away with the last", async () => {
    await using w = await world();
    const first = await w.make("web");
    const second = await w.make("db");
    await first.driver.create(signal());
    await second.driver.create(signal());
    assert.deepEqual([await first.driver.getIp(), await second.driver.getIp()], ["172.18.128.1", "172.18.128.2"]);
    assert.deepEqual(
      w.engine.networks.map(({ Name }) => Name),
      ["docker-machine"],
    );
    await first.driver.stop(signal());
    assert.equal(await first.driver.getIp(), "172.18.128.1");
    await first.driver.remove(signal());
    assert.equal(w.engine.networks.length, 1);
    await second.driver.remove(signal());
    assert.deepEqual(w.engine.networks, []);
  });

  test("asks for less where the engine lacks a capability", async () => {
    await using w = await world();
    w.engine.missingCapabilities = ["SYS_RESOURCE"];
    const { driver } = await w.make("web");
    await driver.create(signal());
    assert.equal(await driver.getState(signal()), "Running");
    const { CapAdd } = only(w.engine).body.HostConfig;
    assert.equal(CapAdd.includes("SYS_RESOURCE"), false);
    assert.ok(CapAdd.includes("SYS_ADMIN"));
    assert.ok(w.engine.startsTried[0]?.includes("SYS_RESOURCE"));
  });

  test("gives up every capability that the engine names when it refuses to make the container", async () => {
    await using w = await world();
    w.engine.refusedCapabilities = ["SYS_RESOURCE", "SYS_RAWIO"];
    const { driver } = await w.make("web");
    await driver.create(signal());
    const { CapAdd } = only(w.engine).body.HostConfig;
    assert.deepEqual(
      ["SYS_RESOURCE", "SYS_RAWIO", "SYS_ADMIN"].map((name) => CapAdd.includes(name)),
      [false, false, true],
    );
  });

  test("tells the engine's own complaint when no set of capabilities will do, and leaves no container", async () => {
    await using w = await world();
    w.engine.missingCapabilities = ["SYS_ADMIN"];
    const { driver } = await w.make("web");
    await assert.rejects(
      driver.create(signal()),
      (error) => isMachineError(error, "provider-error") && /unable to apply caps/u.test(error.message),
    );
    assert.equal(w.engine.containers.size, 0);
  });

  test("publishes ports where the machine's own address is out of reach", async () => {
    await using w = await world();
    const { driver } = await w.make("web", { "docker-reach": "ports" });
    await driver.create(signal());
    const bindings = only(w.engine).body.HostConfig.PortBindings;
    assert.equal(await driver.getIp(), "127.0.0.1");
    assert.equal(String(await driver.getSshPort()), bindings["22/tcp"]?.[0]?.HostPort);
    assert.equal(await driver.getUrl(), `tcp://127.0.0.1:${bindings["2376/tcp"]?.[0]?.HostPort}`);
    assert.equal(driver.enginePort, 2376);
  });

  test("refuses an image that cannot be a machine, and leaves no container", async () => {
    await using w = await world();
    w.engine.images.add("alpine:3");
    w.engine.missingFiles.add("/sbin/init");
    const { driver } = await w.make("web", { "docker-image": "alpine:3" });
    await assert.rejects(
      driver.create(signal()),
      (error) => isMachineError(error, "image-unusable") && /has no systemd/u.test(error.message),
    );
    assert.equal(w.engine.containers.size, 0);
  });

  test("an image that can be neither found nor pulled is named", async () => {
    await using w = await world();
    const { driver } = await w.make("web", { "docker-image": "nobody/nothing" });
    await assert.rejects(
      driver.create(signal()),
      (error) => isMachineError(error, "image-unusable") && error.message.includes("nobody/nothing"),
    );
  });

  test("builds the image once, from Debian packages", async () => {
    await using w = await world();
    w.engine.images.clear();
    const bin = path.join(scratch, "bin");
    rmSync(bin, { recursive: true, force: true });
    const calls = path.join(scratch, "calls");
    mkdirSync(bin);
    writeFileSync(path.join(bin, "mmdebstrap"), `#!/bin/sh\necho call >> ${calls}\nfor last; do :; done\necho tar > "$last"\n`);
    chmodSync(path.join(bin, "mmdebstrap"), 0o755);
    const real = thisComputer();
    const computer = { ...real, env: { ...real.env, PATH: `${bin}:${real.env["PATH"]}` } };
    for (const name of ["web", "db"]) {
      const { driver, test: testContext } = await w.make(name);
      const opened = driverModule.open(
        { ...testContext.context, computer, processes: new SystemProcessRunner(computer) },
        await driver.configText(),
      );
      await opened.create(signal());
    }
    assert.equal(readFileSync(calls, "utf8"), "call\n");
    assert.ok(w.engine.images.has(builtImageName("trixie")));
  });
});

describe("resize", () => {
  const mib = 1024 * 1024;

  test("bounds the container that runs, more than before and less", async () => {
    await using w = await world();
    const { driver } = await w.make("web", { "docker-memory": 256 });
    await driver.create(signal());
    for (const memoryMiB of [2048, 300]) {
      assert.deepEqual(await driver.resize?.({ cpus: 1.5, memoryMiB }, signal()), { fromNextStart: false });
      const { Memory, MemorySwap, NanoCpus } = only(w.engine).body.HostConfig;
      assert.deepEqual([Memory, MemorySwap, NanoCpus], [memoryMiB * mib, 2 * memoryMiB * mib, 1.5e9]);
    }
    const { Memory, CPUs } = JSON.parse(await driver.configText()) as Record<string, unknown>;
    assert.deepEqual([Memory, CPUs], [300, "1.5"]);
  });

  test("leaves what is not told as it is, and refuses what create would", async () => {
    await using w = await world();
    const { driver } = await w.make("web", { "docker-memory": 256 });
    await driver.create(signal());
    await driver.resize?.({ cpus: 2 }, signal());
    assert.equal(only(w.engine).body.HostConfig.Memory, 256 * mib);
    for (const change of [{ memoryMiB: 5 }, { cpus: 5 }, { cpus: 0.001 }])
      await assert.rejects(
        async () => await driver.resize?.(change, signal()),
        (error) => isMachineError(error, "driver-options"),
        JSON.stringify(change),
      );
    assert.equal(only(w.engine).body.HostConfig.NanoCpus, 2e9);
  });
});

describe("what is the machine", () => {
  test("is the recorded container alone: what was made from it by others, or bears no id, stays", async () => {
    await using here = await world();
    const made = await here.make("web");
    await made.driver.create(signal());
    const [own] = [...here.engine.containers.values()];
    assert.ok(own);
    // As docker commit and docker run leave it, with the labels handed on.
    here.engine.containers.set("f".repeat(64), { ...own, id: "f".repeat(64), name: "theirs" });
    await made.driver.remove(signal());
    assert.deepEqual(
      [...here.engine.containers.values()].map(({ name }) => name),
      ["theirs"],
    );
  });

  test("while no container is recorded, is what bears both the mark and the name", async () => {
    await using here = await world();
    const made = await here.make("web");
    await made.driver.create(signal());
    const [own] = [...here.engine.containers.values()];
    assert.ok(own);
    here.engine.containers.set("f".repeat(64), { ...own, id: "f".repeat(64), name: "theirs" });
    const config = JSON.parse(await made.driver.configText()) as object;
    const cutOff = driverModule.open(made.test.context, JSON.stringify({ ...config, ContainerId: "", Created: false }));
    assert.deepEqual(await cutOff.findResources?.(signal()), [{ kind: "instance", id: own.id }]);
  });

  test("without a mark, matches nothing: of two machines of another tool both stay", async () => {
    await using here = await world();
    const [one, two] = await Promise.all(["one", "two"].map(async (name) => await here.make(name, {}, undefined)));
    await one?.driver.create(signal());
    await two?.driver.create(signal());
    assert.equal(here.engine.containers.size, 2);
    await one?.driver.remove(signal());
    assert.equal(here.engine.containers.size, 1);
    const labels = [...here.engine.containers.values()].map(({ body }) => Object.keys(body.Labels));
    assert.equal(labels.flat().includes("docker-machine.create-id"), false);
  });
});
