import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "node:test";
import { loadPinnedKeys } from "../ssh/host-keys.ts";
import { generateKeyPair } from "../ssh/keys.ts";
import { authorityPaths } from "../tls/authority-files.ts";
import { createServerCertificate } from "../tls/machine-certificates.ts";
import { failure, never, Scene } from "../testing/scene.ts";
import { openHost } from "./host/open-host.ts";
import { changeState } from "./lifecycle.ts";
import { renameMachine } from "./rename.ts";

/** Everything in a machine's folder and record that is not to name it any more. */
function mentions(scene: Scene, name: string, formerName: string): string[] {
  const dir = scene.context.store.machineDir(name);
  return ["config.json", "known_hosts"].filter(
    (file) => existsSync(path.join(dir, file)) && readFileSync(path.join(dir, file), "utf8").includes(formerName),
  );
}

async function sceneWithKeys(): Promise<Scene> {
  const scene = new Scene();
  await scene.create("gamma");
  const { publicKey } = generateKeyPair("host");
  writeFileSync(path.join(scene.context.store.machineDir("gamma"), "known_hosts"), `gamma ${publicKey}\n`);
  return scene;
}

describe("rename", () => {
  it("leaves nothing of the former name, and the machine is the same", async () => {
    const scene = await sceneWithKeys();
    const before = await scene.config("gamma");
    await renameMachine(scene.context, "gamma", "delta", never);
    assert.deepEqual(await scene.names(), ["delta"]);
    assert.deepEqual(mentions(scene, "delta", "gamma"), []);
    const config = await scene.config("delta");
    assert.equal(config["MachineName"], "delta");
    assert.equal(config["InstanceId"], before["InstanceId"]);
    await using host = await openHost(scene.context, "delta");
    assert.equal((await host.sshTarget()).hostKeys.alias, "delta");
    assert.match(readFileSync(path.join(host.dir, "known_hosts"), "utf8"), /^delta ssh-ed25519 /u);
    await changeState(scene.context, "delta", "stop", never);
    await scene.remove("delta");
    assert.deepEqual([scene.world.instances.length, await scene.names()], [0, []]);
  });

  it("tells whom the certificate is for, whatever the machine was called in between", async () => {
    const scene = new Scene();
    await scene.create("gamma");
    const { certificate } = await createServerCertificate({
      paths: authorityPaths(scene.context.store.certsDir),
      machineName: "gamma",
      userName: "ana",
      addresses: ["192.0.2.7"],
      extraNames: [],
      isSwarmMaster: false,
      keyType: "ecdsa",
      clock: scene.context.clock,
    });
    writeFileSync(path.join(scene.context.store.machineDir("gamma"), "server.pem"), certificate);
    const said = (): string[] =>
      scene.events
        .splice(0)
        .flatMap((event) => (event.type === "log" && /certificate names/u.test(event.text) ? [event.text] : []));
    said();
    const names = (newName: string) =>
      `Its engine's certificate names "gamma" still; for a new one: docker-machine provision ${newName}`;
    for (const [name, newName, expected] of [
      ["gamma", "delta", [names("delta")]],
      ["delta", "zeta", [names("zeta")]],
      ["zeta", "gamma", []],
      ["gamma", "Gamma", []],
    ] as const) {
      await renameMachine(scene.context, name, newName, never);
      assert.deepEqual(said(), expected, newName);
    }
  });

  it("changes the case alone, too", async () => {
    const scene = await sceneWithKeys();
    await renameMachine(scene.context, "gamma", "Gamma", never);
    assert.deepEqual(await scene.names(), ["Gamma"]);
    assert.equal((await scene.config("Gamma"))["MachineName"], "Gamma");
  });

  it("refuses a name that is taken, none, or the same, and a machine that is not there", async () => {
    const scene = await sceneWithKeys();
    await scene.create("occupied");
    for (const [newName, code] of [
      ["occupied", "machine-exists"],
      ["Occupied", "machine-exists"],
      ["-x", "machine-name-invalid"],
      ["../x", "machine-name-invalid"],
      ["gamma", "usage"],
    ] as const)
      assert.equal((await failure(renameMachine(scene.context, "gamma", newName, never))).code, code, newName);
    assert.equal((await failure(renameMachine(scene.context, "none", "new", never))).code, "machine-not-found");
    assert.deepEqual([...(await scene.names())].sort(), ["gamma", "occupied"]);
    assert.deepEqual(mentions(scene, "gamma", "occupied"), []);
  });

  it("refuses what is found by its name, and plugins", async () => {
    for (const capability of [{ foundByName: true }, { opaque: true }] as const) {
      const scene = new Scene(capability);
      await scene.create("gamma");
      const error = await failure(renameMachine(scene.context, "gamma", "delta", never));
      assert.deepEqual([error.code, await scene.names()], ["driver-unsupported", ["gamma"]]);
    }
  });

  it("that is cut off before the record names the new folder has happened", async () => {
    const scene = await sceneWithKeys();
    const { store } = scene.context;
    renameSync(store.machineDir("gamma"), store.machineDir("delta"));
    await using host = await openHost(scene.context, "delta");
    assert.equal(host.record.hostOptions.AuthOptions.StorePath, store.machineDir("delta"));
    assert.equal(JSON.parse(await host.driver.configText())["MachineName"], "delta");
    await changeState(scene.context, "delta", "stop", never);
    assert.equal((await scene.config("delta"))["MachineName"], "delta");
    assert.deepEqual(mentions(scene, "delta", store.machineDir("gamma")), []);
  });

  it("that is cut off right behind the folder's new name leaves the host key pinned", async () => {
    const scene = await sceneWithKeys();
    const { store } = scene.context;
    let isCutOff = false;
    const cutOff = {
      get: (target: typeof store, key: keyof typeof store) => {
        isCutOff ||= key === "save";
        return isCutOff ? refuse : bound(target, key);
      },
    };
    const refuse = async (): Promise<never> => await Promise.reject(new Error("cut off"));
    const bound = (target: typeof store, key: keyof typeof store): unknown =>
      typeof target[key] === "function" ? (target[key] as (...args: unknown[]) => unknown).bind(target) : target[key];
    const context = { ...scene.context, store: new Proxy(store, cutOff as ProxyHandler<typeof store>) };
    await assert.rejects(renameMachine(context, "gamma", "delta", never), /cut off/u);
    await using host = await openHost(scene.context, "delta");
    assert.equal((await loadPinnedKeys((await host.sshTarget()).hostKeys)).length, 1);
  });

  it("that cannot write the record, on a disk that is full, has not happened", async () => {
    const scene = await sceneWithKeys();
    const { store } = scene.context;
    const refuse = async (): Promise<never> => await Promise.reject(new Error("no space left"));
    const bound = (target: typeof store, key: keyof typeof store): unknown =>
      typeof target[key] === "function" ? (target[key] as (...args: unknown[]) => unknown).bind(target) : target[key];
    const full = { get: (target: typeof store, key: keyof typeof store) => (key === "save" ? refuse : bound(target, key)) };
    const context = { ...scene.context, store: new Proxy(store, full as ProxyHandler<typeof store>) };
    await assert.rejects(renameMachine(context, "gamma", "delta", never), /no space left/u);
    assert.deepEqual(await scene.names(), ["gamma"]);
    await renameMachine(scene.context, "gamma", "delta", never);
    assert.deepEqual(mentions(scene, "delta", "gamma"), []);
  });

  it("is not taken for one where the folder was copied", async () => {
    const scene = await sceneWithKeys();
    const { store } = scene.context;
    cpSync(store.machineDir("gamma"), store.machineDir("copy"), { recursive: true });
    await using host = await openHost(scene.context, "copy");
    assert.equal(JSON.parse(await host.driver.configText())["MachineName"], "gamma");
  });
});
