/** The driver `qemu` against a fake QEMU: its flags, and a machine's life. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { createServer, type Server } from "node:net";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { FlagValue } from "../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../src/drivers/qemu/index.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { describeDriverContract } from "../../src/testing/driver-contract.ts";
import { describeDriverCrashes } from "../../src/testing/crash-suite.ts";
import { configured, created, fakeWorld, isRunning, processesOf, signal } from "./fake-world.ts";

/** A computer of its own; its instances are the processes of its fake QEMU. */
async function suiteWorld() {
  const { overrides, folder } = await fakeWorld();
  const pids = (): number[] => processesOf(folder);
  return {
    module: driverModule,
    flags: {
      "qemu-accelerator": "tcg",
      "qemu-image": "build",
      "qemu-save-state": "off",
      "qemu-cpu-count": 1,
      "qemu-memory": 1024,
      "qemu-disk-size": 8000,
      "qemu-ssh-user": "root",
    },
    context: overrides,
    resources: () => pids().map((pid) => ({ kind: "instance", id: String(pid) })),
    [Symbol.asyncDispose]: async () => {
      for (const pid of pids()) process.kill(pid, "SIGKILL");
    },
  };
}

describeDriverContract("qemu", suiteWorld, { refusedFlags: { "qemu-memory": 1 }, lifecycle: { timeoutMs: 60_000 } });
describeDriverCrashes("qemu", suiteWorld, { createPauses: false });

describe("flags", () => {
  const refused: readonly (readonly [string, Record<string, FlagValue>, RegExp])[] = [
    ["too little memory", { "qemu-memory": 64 }, /--qemu-memory 64 is too small/u],
    [
      "an unknown accelerator",
      { "qemu-accelerator": "xen" },
      /--qemu-accelerator "xen" is not one of: auto, kvm, hvf, whpx, tcg/u,
    ],
    ["more CPUs than QEMU takes", { "qemu-cpu-count": 1000 }, /--qemu-cpu-count 1000 is too large: 255 is the most/u],
    ["a disk that no file system holds", { "qemu-disk-size": 99_999_999_999 }, /--qemu-disk-size 99999999999 is too large/u],
    ["one port twice", { "qemu-open-port": ["8080:80", "8080:81"] }, /8080:80 and 8080:81 are the same port of this computer/u],
    ["a port at an address that is none", { "qemu-open-port": ["1.2.3.400:80:80"] }, /"1\.2\.3\.400:80:80" is not/u],
    ["a port that is none", { "qemu-open-port": ["70000"] }, /--qemu-open-port "70000"/u],
    ["a URL without a checksum", { "qemu-image": "https://images.invalid/a.qcow2" }, /needs its checksum/u],
    [
      "a checksum that is none",
      { "qemu-image": "https://images.invalid/a.qcow2", "qemu-image-checksum": "md5:1" },
      /is no checksum/u,
    ],
    ["an unknown suite", { "qemu-image": "build:woody" }, /images are built from trixie/u],
    ["a user that useradd would refuse", { "qemu-ssh-user": "a b" }, /is not a user name/u],
    ["a relative target of a shared folder", { "qemu-share-folder": ["/srv:data"] }, /is not FOLDER\[:PATH\]/u],
    [
      "a saved state with a shared folder",
      { "qemu-save-state": "on", "qemu-share-folder": ["/srv:/data"] },
      /exclude each other/u,
    ],
  ];
  for (const [what, flags, message] of refused) {
    test(`refuse ${what}`, async () => {
      await assert.rejects(configured(flags), (error) => isMachineError(error, "driver-options") && message.test(error.message));
    });
  }
});

describe("create", () => {
  test("records id and ports before anything is launched, and opens the ports before the guest runs", async () => {
    await using made = await configured({ "qemu-save-state": "off" });
    const configs: Record<string, unknown>[] = [];
    made.test.onSave(async () => {
      configs.push({ ...(await made.config()), launched: existsSync(made.file("qemu.pid")) });
    });
    await made.driver.create(signal());
    assert.equal(configs[0]?.["launched"], false);
    assert.match(String(configs[0]?.["InstanceId"]), /^[0-9a-f-]{36}$/u);
    assert.notEqual(configs[0]?.["SSHPort"], 0);
    assert.equal(await made.driver.getUrl(), `tcp://127.0.0.1:${String(configs[0]?.["EnginePort"])}`);
    assert.equal(await made.driver.getState(signal()), "Running");
  });

  test("keeps private keys out of every argument and of QEMU's environment", async () => {
    await using made = await created();
    const pid = readFileSync(made.file("qemu.pid"), "utf8").trim();
    const seen = readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8");
    const credential = readFileSync(made.file("credential-0"), "utf8");
    const files = Buffer.from(credential.replace(/^.*?=/u, ""), "base64").toString("utf8");
    const hostKey = / 0600 root root - (\S+)/u.exec(files)?.[1] ?? "";
    assert.match(Buffer.from(hostKey, "base64").toString("utf8"), /BEGIN OPENSSH PRIVATE KEY/u);
    assert.equal(seen.includes(hostKey), false);
    assert.equal(seen.includes("PRIVATE KEY"), false);
    assert.equal(statSync(made.file("credential-0")).mode & 0o777, 0o600);
    assert.deepEqual(seen.match(/[A-Z_]*(?:TOKEN|SECRET|PASSWORD)[A-Z_]*=/gu) ?? [], []);
  });

  test("presents the host key that it injected", async () => {
    await using made = await created();
    const keys = (await made.driver.hostKeys?.()) ?? [];
    assert.match(keys[0] ?? "", /^ssh-ed25519 [A-Za-z0-9+/=]+$/u);
    const credential = Buffer.from(readFileSync(made.file("credential-0"), "utf8").replace(/^.*?=/u, ""), "base64").toString(
      "utf8",
    );
    const publicFile = /ssh_host_ed25519_key\.pub 0644 root root - (\S+)/u.exec(credential)?.[1] ?? "";
    assert.ok(
      Buffer.from(publicFile, "base64")
        .toString("utf8")
        .startsWith(keys[0] ?? "?"),
    );
  });

  test("a repeated create takes over the running machine", async () => {
    await using made = await created();
    const pid = readFileSync(made.file("qemu.pid"), "utf8");
    await driverModule.open(made.test.context, await made.driver.configText()).create(signal());
    assert.equal(readFileSync(made.file("qemu.pid"), "utf8"), pid);
  });

  test("an attempt that was cut off is ended and begun anew", async () => {
    await using made = await created();
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    const cutOff = JSON.stringify({ ...(await made.config()), Created: false });
    rmSync(made.file("qemu.pid"));
    const again = driverModule.open(made.test.context, cutOff);
    await again.create(signal());
    assert.notEqual(Number(readFileSync(made.file("qemu.pid"), "utf8")), pid);
    assert.equal(isRunning(pid), false);
    await again.remove(signal());
  });

  test("QEMU's refusal is told in one sentence and leaves no process", async () => {
    await using made = await configured(
      { "qemu-save-state": "off" },
      { refuse: "cannot set up guest memory 'pc.ram': Cannot allocate memory" },
    );
    await assert.rejects(
      made.driver.create(signal()),
      (error) => isMachineError(error, "driver-failed") && /not enough memory/u.test(error.message) && error.hint !== undefined,
    );
    assert.equal(existsSync(made.file("qemu.pid")), false);
    assert.equal(await made.driver.getState(signal()), "Stopped");
  });

  test("a disk smaller than the image is refused", async () => {
    await using made = await configured({ "qemu-save-state": "off" });
    const facts = path.join(
      made.test.context.cacheDir,
      "qemu",
      "images",
      readdirSync(path.join(made.test.context.cacheDir, "qemu", "images"))[0] ?? "",
      "image.json",
    );
    writeFileSync(facts, readFileSync(facts, "utf8").replace('"virtualSizeBytes":1024', '"virtualSizeBytes":900000000000'));
    await assert.rejects(
      made.driver.create(signal()),
      (error) => isMachineError(error, "driver-options") && /smaller than the image/u.test(error.message),
    );
  });

  test("checks before creating anything: ports, image, folder, memory", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const udp = createSocket("udp4");
    await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
    const udpPort = udp.address().port;
    for (const [flags, code, sentence] of [
      [{ "qemu-open-port": [String(port)] }, "port-taken", new RegExp(`^Port ${port} of this computer is in use$`, "u")],
      [
        { "qemu-open-port": [`${udpPort}/udp`] },
        "port-taken",
        new RegExp(`^UDP port ${udpPort} of this computer is in use$`, "u"),
      ],
      [{ "qemu-open-port": [`192.0.2.1:${port}:80`] }, "driver-options", /: 192\.0\.2\.1 is no address of this computer$/u],
      [{ "qemu-image": "/nowhere/disk.qcow2" }, "image-unusable", /does not exist/u],
      [{ "qemu-share-folder": ["/nowhere"] }, "driver-options", /does not exist/u],
      [{ "qemu-memory": 99_999_999 }, "driver-options", /^--qemu-memory 99999999 is more than this computer has: \d+ MB$/u],
    ] as const) {
      await using made = await configured(flags);
      await assert.rejects(
        made.driver.preCreateCheck(signal()),
        (error) =>
          isMachineError(error, code) &&
          sentence.test(error.message) &&
          (code === "image-unusable" || !/in use/u.test(error.hint ?? "")),
        JSON.stringify(flags),
      );
    }
    server.close();
    udp.close();
  });

  test("more memory than the computer has is refused before anything is made, and all that it has is not", async () => {
    for (const [memory, isRefused] of [
      [4_097, true],
      [4_096, false],
    ] as const) {
      await using made = await configured({ "qemu-memory": memory });
      const computer = { ...made.test.context.computer, memoryMiB: 4_096 };
      const driver = driverModule.open({ ...made.test.context, computer }, await made.driver.configText());
      const checked = driver.preCreateCheck(signal());
      if (!isRefused) await checked;
      else await assert.rejects(checked, { code: "driver-options", message: /more than this computer has: 4096 MB$/u });
    }
  });

  test("without QEMU the error says what to install", async () => {
    await using made = await configured({});
    rmSync(path.join(made.world.folder, "bin"), { recursive: true });
    const computer = { ...made.test.context.computer, env: { PATH: "/nowhere" } };
    const driver = driverModule.open(
      { ...made.test.context, computer, processes: new SystemProcessRunner(computer) },
      await made.driver.configText(),
    );
    await assert.rejects(
      driver.preCreateCheck(signal()),
      (error) => isMachineError(error, "program-missing") && /apt-get install .*qemu/u.test(error.hint ?? ""),
    );
  });
});

describe("ports", () => {
  test("one that was taken while the machine was stopped is replaced, recorded and reported", async () => {
    await using made = await created();
    await made.driver.stop(signal());
    const port = await made.driver.getSshPort();
    const thief = await listenOnceFree(port);
    const saves = made.test.saves();
    await made.driver.start(signal());
    assert.notEqual(await made.driver.getSshPort(), port);
    assert.ok(made.test.saves() > saves);
    assert.ok(
      made.test.events.some(
        (event) => event.type === "log" && event.level === "warn" && event.text.includes(`Port ${port} of 127.0.0.1 is in use`),
      ),
    );
    thief.close();
  });

  test("a port that the user chose is not replaced: the start fails and leaves nothing running", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as { port: number };
    await using made = await configured({ "qemu-save-state": "off", "qemu-open-port": [`${port}:80`] });
    await assert.rejects(made.driver.create(signal()), (error) => isMachineError(error, "port-taken"));
    assert.equal(await made.driver.getState(signal()), "Stopped");
    holder.close();
  });
});

/** A server on a port that a process which is ending may still hold. */
async function listenOnceFree(port: number): Promise<Server> {
  for (const ending = signal(); ; ending.throwIfAborted()) {
    const server = createServer();
    const listening = await new Promise<boolean>((resolve) => {
      server.once("listening", () => resolve(true)).once("error", () => resolve(false));
      server.listen(port, "127.0.0.1");
    });
    if (listening) return server;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
