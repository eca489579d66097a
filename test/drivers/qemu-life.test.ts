/** Machines of the driver `qemu` that exist, against a fake QEMU: what is lost, killed, frozen or mixed up. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import type { Driver } from "../../src/driver-kit/driver.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { isPortFree, pickFreePort } from "../../src/system/loopback-port.ts";
import { configured, created, freeze, isRunning, signal } from "./fake-world.ts";

describe("a machine that exists", () => {
  test("is found by its pid file only while the process is its own", async () => {
    await using made = await created();
    await made.driver.kill(signal());
    writeFileSync(made.file("qemu.pid"), `${process.pid}\n`);
    assert.equal(await made.driver.getState(signal()), "Stopped");
    await made.driver.remove(signal());
    assert.ok(isRunning(process.pid));
  });

  test("whose pid file was lost, or names another process, runs all the same", async () => {
    await using made = await created();
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    writeFileSync(made.file("qemu.pid"), `${process.pid}\n`);
    assert.equal(await made.driver.getState(signal()), "Running");
    rmSync(made.file("qemu.pid"));
    assert.equal(await made.driver.getState(signal()), "Running");
    await made.driver.kill(signal());
    assert.equal(isRunning(pid), false);
    assert.equal(await made.driver.getState(signal()), "Stopped");
  });

  test("whose monitor's socket was lost runs; stop says at once what to do, kill ends it", async () => {
    await using made = await created();
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    rmSync(made.file("qmp.sock"));
    assert.equal(await made.driver.getState(signal()), "Running");
    await assert.rejects(
      made.driver.stop(signal()),
      (error) =>
        isMachineError(error, "driver-failed") &&
        /^"web" runs but takes no commands: QEMU's monitor cannot be reached through \S+qmp\.sock: /u.test(error.message) &&
        /docker-machine ssh web sudo poweroff.* docker-machine kill web$/u.test(error.hint ?? ""),
    );
    assert.ok(isRunning(pid));
    await made.driver.kill(signal());
    assert.equal(isRunning(pid), false);
  });

  test("that is frozen is paused: start lets it go on, kill asks it nothing", async () => {
    await using made = await created();
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    await freeze(pid);
    assert.equal(await made.driver.getState(signal()), "Paused");
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
    await freeze(pid);
    const startedMs = performance.now();
    await made.driver.kill(signal());
    assert.ok(performance.now() - startedMs < 4_000, "the monitor was waited for");
    assert.equal(isRunning(pid), false);
  });

  test("that is frozen is shut down in order all the same", async () => {
    await using made = await created();
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    await freeze(pid);
    await made.driver.stop(signal());
    assert.equal(isRunning(pid), false);
    assert.deepEqual(
      made.test.events.filter((event) => event.type === "log" && event.level === "warn"),
      [],
    );
  });

  test("has another size from its next start on", async () => {
    await using made = await created();
    const sizeOf = (): string => {
      const pid = readFileSync(made.file("qemu.pid"), "utf8").trim();
      return /-smp\0(\d+\0-m\0\d+M)/u.exec(readFileSync(`/proc/${pid}/cmdline`, "utf8"))?.[1] ?? "";
    };
    assert.deepEqual(await made.driver.resize?.({ cpus: 3, memoryMiB: 700 }, signal()), { fromNextStart: true });
    assert.notEqual(sizeOf(), "3\0-m\x00700M");
    await made.driver.restart(signal());
    assert.equal(sizeOf(), "3\0-m\x00700M");
    for (const change of [{ cpus: 1.5 }, { cpus: 256 }, { memoryMiB: 100 }, { memoryMiB: 999_999_999 }])
      await assert.rejects(
        async () => await made.driver.resize?.(change, signal()),
        (error) => isMachineError(error, "driver-options"),
        JSON.stringify(change),
      );
    const { CPU, Memory } = await made.config();
    assert.deepEqual([CPU, Memory], [3, 700]);
  });

  test("has ports opened and closed while it runs, and what was taken changes nothing", async () => {
    await using made = await created();
    const [one, two] = [await pickFreePort(new Set()), await pickFreePort(new Set())];
    const port = (hostPort: number) => ({ protocol: "tcp" as const, hostAddress: "127.0.0.1", hostPort, machinePort: 80 });
    assert.deepEqual(await made.driver.publish?.([port(one)], signal()), [port(one)]);
    assert.equal(await isPortFree(one), false);
    const taken = createServer().listen(two, "127.0.0.1");
    await once(taken, "listening");
    await assert.rejects(
      async () => await made.driver.publish?.([port(two)], signal()),
      (error) => isMachineError(error, "port-taken"),
    );
    taken.close();
    assert.deepEqual(await made.driver.publishedPorts?.(), [port(one)]);
    assert.equal(await isPortFree(one), false);
    await made.driver.restart(signal());
    assert.equal(await isPortFree(one), false, "opened again at the start");
    await made.driver.publish?.([], signal());
    assert.equal(await isPortFree(one), true);
    await made.driver.stop(signal());
    await made.driver.publish?.([port(two)], signal());
    assert.deepEqual((await made.config())["OpenPorts"], [`127.0.0.1:${two}:80`]);
  });

  test("has the ports of its containers come here and go, beside those that were opened for good", async () => {
    await using made = await created();
    const [own, one, two] = [await pickFreePort(new Set()), await pickFreePort(new Set()), await pickFreePort(new Set())];
    await made.driver.publish?.([{ protocol: "tcp", hostAddress: "127.0.0.1", hostPort: own, machinePort: own }], signal());
    const ports = made.driver.containerPorts ?? assert.fail("they do not come");
    const recorded = async () => (await made.driver.publishedPorts?.()) ?? [];
    const bring = async (...wanted: number[]) =>
      await ports.bring(
        wanted.map((port) => ({ protocol: "tcp" as const, port })),
        recorded,
        signal(),
      );
    assert.deepEqual(await bring(own, one, two), ["open", "open", "open"]);
    assert.deepEqual(await bring(one), ["open"]);
    assert.deepEqual([await isPortFree(own), await isPortFree(one), await isPortFree(two)], [false, false, true]);

    const taken = createServer().listen(two, "127.0.0.1");
    await once(taken, "listening");
    assert.deepEqual(await bring(one, two), ["open", "in-use"]);
    taken.close();
    assert.deepEqual(await bring(one, two), ["open", "open"]);

    const elsewhere = { protocol: "tcp" as const, hostAddress: "127.0.0.1", hostPort: one, machinePort: 80 };
    await made.driver.publish?.([elsewhere], signal());
    assert.deepEqual(await bring(one, own), ["given-away", "open"], "what the user asked for goes before");
    assert.deepEqual(await bring(), []);
    assert.deepEqual([await isPortFree(own), await isPortFree(one), await isPortFree(two)], [true, false, true]);
  });

  test("names each of its runs, and none once it has ended", async () => {
    await using made = await created();
    const run = async () => await made.driver.containerPorts?.run();
    const first = await run();
    assert.equal(await run(), first);
    await freeze(Number(readFileSync(made.file("qemu.pid"), "utf8")));
    assert.equal(await run(), first, "one that stands still runs");
    await made.driver.start(signal());
    await made.driver.stop(signal());
    assert.equal(await run(), undefined);
    await made.driver.start(signal());
    assert.notEqual(await run(), first);
  });

  test("has no ports of containers come here where none are wanted, or those alone that are", async () => {
    await using none = await created({ "qemu-publish": "off" });
    assert.equal(none.driver.containerPorts, undefined);
    await using some = await created({ "qemu-publish": "8080,9000-9010" });
    const wanted = [80, 8080, 9000, 9010, 9011].map((port) => some.driver.containerPorts?.wants({ protocol: "tcp", port }));
    assert.deepEqual(wanted, [false, true, true, true, false]);
    for (const value of ["on", "0", "9-8", "70000", "80,", "80;81"])
      await assert.rejects(
        async () => void (await configured({ "qemu-publish": value })),
        (error) => isMachineError(error, "driver-options") && /--qemu-publish .*is not auto, off, or ports/u.test(error.message),
        value,
      );
  });

  test("whose QEMU hangs is told in one sentence", async () => {
    await using made = await configured({ "qemu-save-state": "off" });
    await made.driver.create(signal());
    const server = createServer(() => {});
    rmSync(made.file("qmp.sock"));
    await new Promise<void>((resolve) => server.listen(made.file("qmp.sock"), resolve));
    await assert.rejects(
      made.driver.getState(signal()),
      (error) => isMachineError(error, "timeout") && /^QEMU of "web" \(process \d+\) does not answer: /u.test(error.message),
    );
    server.close();
  });

  test("killed from outside is stopped, and starts again", async () => {
    await using made = await created();
    process.kill(Number(readFileSync(made.file("qemu.pid"), "utf8")), "SIGKILL");
    await untilState(made.driver, "Stopped");
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
  });

  test("whose disk was deleted says so, and is removed all the same", async () => {
    await using made = await created();
    await made.driver.stop(signal());
    rmSync(made.file("disk.qcow2"));
    assert.equal(await made.driver.getState(signal()), "Error");
    assert.match(made.driver.stateProblem ?? "", /^The disk of "web" is gone: /u);
    await assert.rejects(
      made.driver.start(signal()),
      (error) => isMachineError(error, "driver-failed") && /disk of "web" is gone/u.test(error.message),
    );
    await made.driver.remove(signal());
  });

  test("lives on when the cache is emptied", async () => {
    await using made = await created();
    await made.driver.stop(signal());
    rmSync(made.test.context.cacheDir, { recursive: true });
    assert.equal(readFileSync(made.file("base.img"), "utf8"), "disk");
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
  });

  test("removal leaves no file but the key pair, whatever the state", async () => {
    await using made = await created();
    await made.driver.remove(signal());
    assert.deepEqual(
      readdirSync(made.test.context.machineDir).filter((name) => !name.startsWith("id_")),
      [],
    );
  });

  test("a monitor that hangs does not keep removal from cleaning up", async () => {
    await using made = await configured({ "qemu-save-state": "off" });
    await made.driver.create(signal());
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    await freeze(pid);
    await made.driver.remove(signal());
    assert.equal(isRunning(pid), false);
  });
});

async function untilState(driver: Driver, wanted: string): Promise<void> {
  const bound = signal();
  while ((await driver.getState(bound)) !== wanted) bound.throwIfAborted();
}
