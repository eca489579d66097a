/** A key pair of an adopted machine's own: a box whose authorized_keys is a real file, and that lets in whom that says. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { assemble } from "../../assembly/assemble.ts";
import { driverOptions, type FlagValue } from "../../driver-kit/create-flag.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import type { ProgressEvent } from "../../log/event.ts";
import type { SshResult, SshRunOptions, SshTarget } from "../../ssh/executor.ts";
import { generateKeyPair, loadPrivateKey } from "../../ssh/keys.ts";
import { formatPublicKey } from "../../ssh/public-key.ts";
import { thisComputer } from "../../system/computer.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { readShared } from "../../team/shared-content.ts";
import { failureOf } from "../../../test/support/failure.ts";
import { LocalExecutor } from "../../../test/support/shells.ts";
import { exportMachines } from "../bundle/export-machines.ts";
import { createDefaults } from "../create-defaults.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";
import { newRecord } from "./new-record.ts";
import { newHost, openHost } from "./open-host.ts";
import { giveOwnKey, wishOwnKey, withdrawOwnKey } from "./own-key.ts";

const never = new AbortController().signal;
const computer = thisComputer();

/** Lets in whose key stands in the authorized_keys of its user, as sshd does. */
class Box extends LocalExecutor {
  readonly #scene: Scene;
  readonly #key: string | undefined;

  constructor(scene: Scene, { identityFile }: SshTarget) {
    super({ HOME: scene.home });
    this.#scene = scene;
    this.#key = identityFile;
  }

  override async connect(): Promise<void> {
    this.#scene.step(`connect ${path.basename(this.#key ?? "")}`);
    const { publicKey } = await loadPrivateKey(this.#key ?? "", computer);
    const isKnown = publicKey !== undefined && this.#scene.authorized().includes(formatPublicKey(publicKey));
    if (!isKnown || this.#scene.refuses(this.#key ?? "")) throw new MachineError("ssh-authentication", "refused");
  }

  override async run(command: string, options: SshRunOptions = {}): Promise<SshResult> {
    this.#scene.step("before a script");
    const result = await super.run(command, options);
    this.#scene.step("after a script");
    return result;
  }
}

class Scene {
  readonly folder = temporaryFolder();
  readonly home = path.join(this.folder, "home");
  readonly store = path.join(this.folder, "store");
  readonly key = path.join(this.folder, "id_ed25519");
  readonly pair = generateKeyPair("alice@laptop");
  readonly events: ProgressEvent[] = [];
  readonly steps: string[] = [];
  readonly context: MachineContext;
  /** The step at which everything stops. */
  stopsAt = Number.POSITIVE_INFINITY;
  refuses: (key: string) => boolean = () => false;

  constructor() {
    mkdirSync(path.join(this.home, ".ssh"), { recursive: true });
    mkdirSync(this.store, { recursive: true });
    // The last line without its end, as editors leave it.
    writeFileSync(this.authorizedKeys, `# ours\n${this.pair.publicKey}`, { mode: 0o640 });
    writeFileSync(this.key, this.pair.privateKey, { mode: 0o600 });
    writeFileSync(`${this.key}.pub`, this.pair.publicKey);
    const context = assemble({ computer, storePath: this.store, reportFor: () => (event) => void this.events.push(event) });
    const { store } = context;
    const save = store.save.bind(store);
    store.save = async (record) => {
      this.step("before a save");
      await save(record);
      this.step("after a save");
    };
    this.context = { ...context, openSsh: async (target) => new Box(this, target) };
  }

  get authorizedKeys(): string {
    return path.join(this.home, ".ssh", "authorized_keys");
  }

  authorized(): string {
    return readFileSync(this.authorizedKeys, "utf8");
  }

  step(what: string): void {
    this.steps.push(what);
    if (this.steps.length > this.stopsAt) throw new Error("cut off");
  }

  async newHost(flags: Readonly<Record<string, FlagValue>> = {}): Promise<Host> {
    const given = {
      "generic-ip-address": "192.0.2.7",
      "generic-ssh-key": this.key,
      "generic-ssh-port": 22,
      "generic-engine-port": 2376,
      ...flags,
    };
    const options = driverOptions({ ...createDefaults, ...given }, new Set(Object.keys(given)));
    const module = await this.context.findDriver("generic");
    const host = newHost(this.context, newRecord(this.context, "web", "generic", options), module);
    await host.configure(options);
    return host;
  }

  async adopt(): Promise<void> {
    const host = await this.newHost();
    await host.store({});
    await host.driver.create(never);
    await host.save();
    this.steps.length = 0;
  }

  get dir(): string {
    return this.context.store.machineDir("web");
  }

  /** By the key that is recorded. */
  async isReachable(): Promise<boolean> {
    const host = await openHost(this.context, "web");
    return await (await host.openSsh()).connect().then(
      () => true,
      () => false,
    );
  }

  said(): string {
    return this.events.flatMap((event) => (event.type === "log" ? [`${event.level}: ${event.text}`] : [])).join("\n");
  }
}

test("the machine is opened by a pair of its own, and the user's key leaves the store", async () => {
  const scene = new Scene();
  await scene.adopt();
  assert.ok(existsSync(path.join(scene.dir, "id_ed25519")));
  await giveOwnKey(scene.context, "web", never);
  assert.ok(await scene.isReachable());
  const [ours, theirs, own = "", end] = scene.authorized().split("\n");
  assert.deepEqual([ours, theirs, end], ["# ours", scene.pair.publicKey.trim(), ""]);
  assert.match(own, /^ssh-ed25519 \S+ docker-machine web$/u);
  assert.deepEqual(
    readdirSync(scene.dir).filter((name) => name.startsWith("id_")),
    [],
  );
  const secret = scene.pair.privateKey.split("\n")[2] ?? "";
  const shared = JSON.stringify(await readShared(scene.dir, scene.store));
  assert.ok(shared.includes("machine_key.pub") && !shared.includes(secret) && !shared.includes(scene.key));
  const { machines } = await exportMachines(scene.context, ["web"], false, never);
  assert.ok("machine_key" in (machines[0]?.files ?? {}), "a bundle has it too");
  await giveOwnKey(scene.context, "web", never);
  assert.equal(scene.authorized().split("\n").length, 4, "once");
});

test("cut off at any step it can be reached, and the same command ends it", async () => {
  const whole = new Scene();
  await whole.adopt();
  await giveOwnKey(whole.context, "web", never);
  assert.ok(whole.steps.length > 5, whole.steps.join(", "));
  for (let stop = 0; stop < whole.steps.length; stop += 1) {
    const scene = new Scene();
    await scene.adopt();
    scene.stopsAt = stop;
    await assert.rejects(giveOwnKey(scene.context, "web", never), /cut off/u);
    scene.stopsAt = Number.POSITIVE_INFINITY;
    assert.ok(await scene.isReachable(), `after ${stop} steps`);
    await giveOwnKey(scene.context, "web", never);
    assert.equal((scene.authorized().match(/docker-machine web$/gmu) ?? []).length, 1, `after ${stop} steps`);
    assert.ok(existsSync(path.join(scene.dir, "machine_key")) && (await scene.isReachable()));
  }
});

test("a server that reads keys elsewhere keeps its user's key, and no line is left", async () => {
  const scene = new Scene();
  await scene.adopt();
  scene.refuses = (key) => path.basename(key) === "machine_key";
  const error = await failureOf(giveOwnKey(scene.context, "web", never));
  assert.match(`${error.message} ${error.hint}`, /does not let in the key pair that was made for it.+--keep-keys/u);
  assert.doesNotMatch(scene.authorized(), /docker-machine/u);
  assert.ok(await scene.isReachable());
});

test("where the user's key is not there any more, its copy stays and is never shared", async () => {
  const scene = new Scene();
  await scene.adopt();
  rmSync(scene.key);
  await giveOwnKey(scene.context, "web", never);
  assert.ok(existsSync(path.join(scene.dir, "id_ed25519")));
  assert.match(scene.said(), /is not there any more: its copy .+ stays, for you alone/u);
  const secret = scene.pair.privateKey.split("\n")[2] ?? "";
  assert.ok(!JSON.stringify(await readShared(scene.dir, scene.store)).includes(secret));
  assert.ok(!JSON.stringify(await exportMachines(scene.context, ["web"], false, never)).includes(secret));
});

test("a restore takes the line out and nothing else; what hinders it is said", async () => {
  for (const isHindered of [false, true]) {
    const scene = new Scene();
    await scene.adopt();
    await giveOwnKey(scene.context, "web", never);
    await using host = await openHost(scene.context, "web");
    await using ssh = await host.openSsh();
    if (isHindered) scene.stopsAt = scene.steps.length;
    await withdrawOwnKey(scene.context, host, ssh, never);
    assert.equal(/docker-machine web/u.test(scene.authorized()), isHindered);
    assert.match(scene.authorized(), /^# ours\nssh-ed25519 \S+ alice@laptop\n/u);
    assert.equal(/stays in authorized_keys of "web": cut off/u.test(scene.said()), isHindered);
  }
});

test("in a team's store it is wanted without being asked for, and can be declined; no copy of the user's key is made", async () => {
  const scene = new Scene();
  writeFileSync(path.join(scene.store, "team.json"), "{}");
  const host = await scene.newHost();
  wishOwnKey(scene.context, host);
  assert.equal(host.driver.ownKey?.state, "wanted");
  await host.driver.create(never);
  assert.equal(await host.driver.getSshKeyPath(), scene.key);
  assert.equal(existsSync(path.join(scene.dir, "id_ed25519")), false);
  const declining = await scene.newHost({ "generic-own-key": false });
  wishOwnKey(scene.context, declining);
  assert.equal(declining.driver.ownKey?.state, "declined");
  const alone = new Scene();
  const asked = await alone.newHost({ "generic-own-key": true });
  const plain = await alone.newHost();
  wishOwnKey(alone.context, plain);
  assert.deepEqual([asked.driver.ownKey?.state, plain.driver.ownKey?.state], ["wanted", "none"]);
  const entry = { "generic-own-key": true, "generic-ssh-config-host": "web" };
  await assert.rejects(alone.newHost(entry), (error) => isMachineError(error, "driver-options"));
});
