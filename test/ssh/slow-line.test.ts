/** A packet that is lost costs a second or three: a machine behind such a line runs, and one that never answers does not. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { defaultValue, driverOptions } from "../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../src/drivers/generic/index.ts";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend } from "../../src/ssh/executor.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { testDriverContext } from "../../src/testing/driver-context.ts";
import { startBlackHole } from "./misbehaving-servers.ts";
import { freePort } from "../support/free-ports.ts";
import { sshTestContext, targetOn } from "./ssh-test-context.ts";

const notLinux = process.platform === "linux" ? false : "needs Linux";

describe("the state of a generic machine", { skip: notLinux, concurrency: true }, () => {
  let folder = "";
  let identityFile = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "slow-line-"));
    identityFile = path.join(folder, "id");
    await writeFile(identityFile, generateKeyPair("x").privateKey, { mode: 0o600 });
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  const stateAt = async (backend: SshBackend, port: number, alias: string): Promise<string> => {
    const base = { hostName: "127.0.0.1", port, userName: "root", identityFile, folder };
    const target = { ...targetOn(base, { hostKeys: { alias } }), connectTimeoutMs: 6_000 };
    await using testContext = await testDriverContext("web", {
      openSsh: async () => await openSshExecutor(backend, target, sshTestContext({ TMPDIR: folder })),
    });
    const driver = driverModule.open(testContext.context, undefined);
    const flags = {
      ...Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)])),
      "generic-ip-address": "127.0.0.1",
      "generic-ssh-port": port,
      "generic-engine-port": await freePort(),
    };
    await driver.setConfigFromFlags(driverOptions(flags, new Set(["generic-ip-address"])));
    return await driver.getState(new AbortController().signal);
  };

  for (const backend of ["openssh", "native"] as const) {
    test(`${backend}: a connection that takes longer than a second is no sign of a stopped one`, async () => {
      await using server = await startBlackHole();
      setTimeout(() => server.resume(), 1_500);
      assert.equal(await stateAt(backend, server.port, `${backend}-slow`), "Running");
    });

    test(`${backend}: one that never answers is stopped`, async () => {
      await using server = await startBlackHole();
      assert.equal(await stateAt(backend, server.port, `${backend}-never`), "Stopped");
      assert.equal(await stateAt(backend, await freePort(), `${backend}-refused`), "Stopped");
    });
  }
});
