/** The driver `docker` against a fake engine: what users get wrong, and what others do to its machines. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { only, scratch, signal, world } from "./docker-world.ts";

describe("bad input", () => {
  test("flags", async () => {
    await using w = await world();
    for (const flags of [
      { "docker-cpus": "many" },
      { "docker-cpus": "0" },
      { "docker-cpus": "0.001" },
      { "docker-cpus": "-1" },
      { "docker-cpus": "1e9" },
      { "docker-cpus": "0x2" },
      { "docker-cpus": " 2" },
      { "docker-cpus": "Infinity" },
      { "docker-memory": 99_999_999_999_999 },
      { "docker-memory": -512 },
      { "docker-image": "Not An Image" },
      { "docker-image": "../../info" },
      { "docker-network": "host" },
      { "docker-network": "none" },
      { "docker-network": "container:web" },
      { "docker-memory": 5 },
      { "docker-reach": "magic" },
      { "docker-image": "build:woody" },
      { "docker-image": "" },
    ]) {
      await assert.rejects(w.make("web", flags), (error) => isMachineError(error, "driver-options"), JSON.stringify(flags));
    }
  });

  test("no engine, an engine of another kind, one that is too old, a network that is not there", async () => {
    await using w = await world();
    const gone = await w.make("web", { "docker-host": `unix://${scratch}/nothing.sock` });
    await assert.rejects(gone.driver.preCreateCheck(signal()), (error) => isMachineError(error, "engine-unreachable"));
    const odd = await w.make("web", { "docker-host": "ssh://somewhere" });
    await assert.rejects(odd.driver.preCreateCheck(signal()), (error) => isMachineError(error, "driver-options"));
    const lost = await w.make("web", { "docker-network": "lost" });
    await assert.rejects(
      lost.driver.preCreateCheck(signal()),
      (error) => isMachineError(error, "driver-options") && /no network "lost"/u.test(error.message),
    );
    w.engine.apiVersion = "1.30";
    const { driver } = await w.make("web");
    await assert.rejects(
      driver.preCreateCheck(signal()),
      (error) => isMachineError(error, "driver-unsupported") && /too old/u.test(error.message),
    );
    w.engine.os = "windows";
    await assert.rejects(
      driver.preCreateCheck(signal()),
      (error) => isMachineError(error, "driver-unsupported") && /windows containers/u.test(error.message),
    );
  });

  test("a network that is none for machines, more CPUs than the engine has, are refused before anything is made", async () => {
    await using w = await world();
    const IPAM = { Config: [] };
    w.engine.networks.push({ Id: "a1b2", Name: "host", Driver: "host", IPAM });
    w.engine.networks.push({ Id: "c3", Name: "ingress", Driver: "overlay", Scope: "swarm", IPAM });
    for (const [flags, sentence] of [
      // By its id it is the computer's own network all the same.
      [{ "docker-network": "a1b2" }, /^No machine can be in the network a1b2: it gives containers no network of their own$/u],
      [{ "docker-network": "ingress" }, /: only services of the swarm may be in it$/u],
      [{ "docker-network": "a/b c" }, /^The engine has no network "a\/b c"$/u],
      [{ "docker-cpus": "4.5" }, /^--docker-cpus 4\.5 is more than the engine's computer has: 4$/u],
    ] as const) {
      const { driver } = await w.make("web", flags);
      await assert.rejects(
        driver.preCreateCheck(signal()),
        (error) => isMachineError(error, "driver-options") && sentence.test(error.message) && error.hint !== undefined,
        JSON.stringify(flags),
      );
    }
    assert.equal(w.engine.containers.size, 0);
  });
});

describe("what others do on the engine", () => {
  test("a container that somebody removed: it has no state, and why is told; start says what to do, removal succeeds", async () => {
    await using w = await world();
    const { driver } = await w.make("web");
    await driver.create(signal());
    w.engine.containers.clear();
    assert.equal(await driver.getState(signal()), "");
    assert.equal(driver.stateProblem, 'The container of "web" is gone from the engine');
    await assert.rejects(driver.start(signal()), (error) => isMachineError(error, "provider-error") && error.hint !== undefined);
    await driver.remove(signal());
  });

  test("a container that was made and never started is stopped: stop, kill and rm end at once", async () => {
    await using place = await world();
    const { driver } = await place.make("web");
    await driver.create(signal());
    const [container] = place.engine.containers.values();
    assert.ok(container);
    container.status = "created";
    assert.equal(await driver.getState(signal()), "Stopped");
    await driver.stop(signal());
    await driver.kill(signal());
    assert.equal(await driver.getState(signal()), "Stopped");
    await driver.remove(signal());
    assert.equal(place.engine.containers.size, 0);
  });

  test("an engine of this computer tells the state locally, a distant one does not", async () => {
    await using place = await world();
    assert.equal((await place.make("web")).driver.tellsStateLocally, true);
    assert.equal((await place.make("far", { "docker-host": "tcp://192.0.2.1:2375" })).driver.tellsStateLocally, false);
  });

  test("a paused container is paused; start and stop let it go on first", async () => {
    await using w = await world();
    const { driver } = await w.make("web");
    await driver.create(signal());
    only(w.engine).status = "paused";
    assert.equal(await driver.getState(signal()), "Paused");
    await driver.stop(signal());
    assert.equal(await driver.getState(signal()), "Stopped");
    await driver.start(signal());
    only(w.engine).status = "paused";
    await driver.start(signal());
    assert.equal(await driver.getState(signal()), "Running");
  });

  test("a state that the engine alone understands is told in its words", async () => {
    await using w = await world();
    const { driver } = await w.make("web");
    await driver.create(signal());
    only(w.engine).status = "dead";
    assert.equal(await driver.getState(signal()), "Error");
    assert.equal(driver.stateProblem, 'The engine says that the container is "dead"');
  });

  test("a container that was disconnected keeps its address in the record, and the way back is told", async () => {
    await using w = await world();
    const { driver } = await w.make("web");
    await driver.create(signal());
    only(w.engine).isDisconnected = true;
    assert.equal(await driver.getState(signal()), "Running");
    const { ContainerName } = JSON.parse(await driver.configText()) as { ContainerName: string };
    for (const ask of ["restart", "locate"] as const) {
      await assert.rejects(
        async () => await driver[ask]?.(signal()),
        (error) =>
          isMachineError(error, "provider-error") &&
          error.message === '"web" runs but is in no network of the engine: it has been disconnected' &&
          error.hint === `Connect it again: docker network connect --ip 172.18.128.1 docker-machine ${ContainerName}`,
      );
    }
    assert.equal(await driver.getIp(), "172.18.128.1");
    await driver.stop(signal());
    await driver.locate?.(signal());
    assert.equal(await driver.getIp(), "172.18.128.1");
  });

  test("a port or an address that was taken meanwhile is named when it is started", async () => {
    await using w = await world();
    const published = await w.make("web", { "docker-reach": "ports" });
    await published.driver.create(signal());
    await published.driver.stop(signal());
    const port = await published.driver.getSshPort();
    w.engine.foreignPorts.add(String(port));
    await assert.rejects(
      published.driver.start(signal()),
      (error) =>
        isMachineError(error, "port-taken") &&
        error.message === `Port ${port} of the engine's computer, which leads to "web", is in use` &&
        /docker-machine start web$/u.test(error.hint ?? ""),
    );
    const addressed = await w.make("db");
    await addressed.driver.create(signal());
    await addressed.driver.stop(signal());
    w.engine.foreignAddresses.add(await addressed.driver.getIp());
    await assert.rejects(
      addressed.driver.start(signal()),
      (error) =>
        isMachineError(error, "provider-error") &&
        /^The address 172\.18\.128\.2 of "db" is taken by another/u.test(error.message),
    );
    assert.equal(await addressed.driver.getIp(), "172.18.128.2");
  });

  test("an address that somebody else has taken is replaced by the next", async () => {
    await using w = await world();
    w.engine.foreignAddresses.add("172.18.128.1");
    const { driver } = await w.make("web");
    await driver.create(signal());
    assert.equal(await driver.getIp(), "172.18.128.2");
    assert.equal(w.engine.containers.size, 1);
  });
});
