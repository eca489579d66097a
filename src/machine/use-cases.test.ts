/** The use cases around a driver, a host and an engine that are all in this process: each outcome and each interruption. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MachineError } from "../errors/machine-error.ts";
import { generateKeyPair } from "../ssh/keys.ts";
import { fakeDriverModule } from "../testing/fake-driver.ts";
import { debianFacts } from "../testing/fake-ssh-executor.ts";
import { findLeftovers, removeLeftovers } from "./gc.ts";
import { changeState } from "./lifecycle.ts";
import { listMachines } from "./list.ts";
import { provisionAgain, upgradeMachine } from "./maintain.ts";
import { failure, never, Scene } from "../testing/scene.ts";

describe("create", () => {
  it("makes one instance, follows its address, and leaves no journal", async () => {
    const scene = new Scene();
    await scene.create();
    assert.equal(scene.world.instances.length, 1);
    assert.equal((await scene.config())["IPAddress"], "192.0.2.1");
    assert.equal(scene.hasJournal(), false);
    assert.deepEqual(scene.world.calls.slice(0, 2), ["preCreateCheck", "create"]);
  });

  it("refuses a name that is taken, and flags that will not do, and makes nothing", async () => {
    const scene = new Scene();
    await scene.create();
    assert.equal((await failure(scene.create())).code, "machine-exists");
    assert.equal((await failure(scene.create("db", { "fake-size": "none" }))).code, "driver-options");
    assert.deepEqual(await scene.names(), ["web"]);
    assert.equal(scene.world.instances.length, 1);
  });

  it("ends with the pre-create check's sentence, and no trace", async () => {
    const scene = new Scene();
    scene.fail("preCreateCheck", new Error("no such region"));
    const error = await failure(scene.create());
    assert.equal(error.code, "pre-create-check");
    assert.match(error.message, /no such region/u);
    assert.deepEqual(await scene.names(), []);
  });

  it("keeps a machine whose provider failed, and the same create goes on with the one instance", async () => {
    const scene = new Scene();
    scene.world.after.set("create", () => {
      throw new MachineError("provider-unreachable", "the answer was lost");
    });
    await failure(scene.create());
    assert.equal(scene.hasJournal(), true);
    scene.world.after.clear();
    await scene.create();
    assert.equal(scene.world.instances.length, 1);
    assert.equal(scene.hasJournal(), false);
  });

  it("leaves nothing of a machine of this computer that never came to an instance, and keeps one that did", async () => {
    const scene = new Scene({ onThisComputer: true });
    scene.fail("create", new MachineError("download-failed", "the image cannot be had"));
    assert.equal((await failure(scene.create())).code, "download-failed");
    assert.deepEqual(await scene.names(), []);
    scene.world.before.clear();
    scene.world.after.set("create", () => {
      throw new MachineError("driver-failed", "the guest ended");
    });
    assert.equal((await failure(scene.create())).code, "driver-failed");
    assert.deepEqual([await scene.names(), scene.hasJournal()], [["web"], true]);
  });

  it("stops where its lock was lost, and leaves to others what may be theirs now", async () => {
    const scene = new Scene();
    const lost = new AbortController();
    const { store } = scene.context;
    const take = store.lockMachine.bind(store);
    store.lockMachine = async (name, request) => ({ ...(await take(name, request)), lost: lost.signal });
    scene.world.after.set("create", () => lost.abort(new MachineError("lock-lost", "the lock was lost")));
    assert.equal((await failure(scene.create())).code, "lock-lost");
    assert.deepEqual([scene.world.instances.length, await scene.names(), scene.hasJournal()], [1, ["web"], true]);
    assert.ok(!scene.world.calls.includes("remove"));
  });

  it("undoes what was made on Ctrl-C, also while it waits for the state", async () => {
    for (const verb of ["create", "getState"] as const) {
      const scene = new Scene();
      const stop = new AbortController();
      scene.world.after.set(verb, () => stop.abort(new Error("interrupted")));
      await assert.rejects(scene.create("web", {}, stop.signal), /interrupted/u);
      assert.deepEqual([scene.world.instances.length, await scene.names()], [0, []], verb);
    }
  });

  it("calls an interrupt while a plugin takes its flags an interrupt", async () => {
    const scene = new Scene();
    const { findDriver } = scene.context;
    const interrupted = async (): Promise<void> => await Promise.reject(new MachineError("interrupted", "Interrupted"));
    scene.context.findDriver = async (...asked) => {
      const module = await findDriver(...asked);
      return { ...module, open: (...given) => Object.assign(module.open(...given), { setConfigFromFlags: interrupted }) };
    };
    assert.equal((await failure(scene.create())).code, "interrupted");
    assert.deepEqual(await scene.names(), []);
  });

  it("gives up on an instance that its provider calls failed, or that never runs", async () => {
    for (const [state, sentence] of [
      ["Error", /in the state Error at its provider/u],
      ["Starting", /did not become Running within 0\.2 s; it is Starting/u],
    ] as const) {
      const scene = new Scene();
      scene.world.after.set("create", () => scene.world.instances.forEach((instance) => void (instance.state = state)));
      assert.match((await failure(scene.create())).message, sentence);
      assert.deepEqual(await scene.names(), ["web"], "what may cost money is never forgotten");
    }
  });
});

describe("bringing a machine up", () => {
  it("looks, configures, proves the engine from here, and is done", async () => {
    await using scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
    await scene.create();
    assert.deepEqual(scene.ssh.scripts, ["greeting", "look", "configure"]);
    assert.equal(scene.hasJournal(), false);
    assert.deepEqual(
      (await listMachines(scene.context, { timeoutMs: 5_000 }, never)).map(({ name, state, engineVersion }) => [
        name,
        state,
        engineVersion,
      ]),
      [["web", "Running", "v29.0.0"]],
    );
  });

  it("waits for cloud-init, and looks again when it is through", async () => {
    await using scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
    scene.ssh.says.set("look", [() => ({ facts: [...debianFacts, ["first-boot", "running"]] }), () => ({ facts: debianFacts })]);
    await scene.create();
    assert.deepEqual(scene.ssh.scripts, ["greeting", "look", "first-boot", "look", "configure"]);
  });

  it("ends where cloud-init failed; provision goes on all the same, and says so", async () => {
    await using scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
    const facts = [
      ...debianFacts,
      ["first-boot", "finished"],
      ["first-boot-result", '{"v1":{"errors":["no such package"]}}'],
    ] as const;
    scene.ssh.says.set("look", [() => ({ facts })]);
    const error = await failure(scene.create());
    assert.match(error.message, /cloud-init on web reports errors: no such package/u);
    assert.equal(scene.hasJournal(), true);
    await provisionAgain(scene.context, "web", never);
    assert.match(scene.said("warn"), /no such package/u);
    assert.equal(scene.hasJournal(), false);
  });

  it("gives a host keys of its own where the injected ones could be read, and has them withdrawn", async () => {
    await using scene = new Scene({ provisionable: true }).withEngine();
    const [exposed, fresh] = ["exposed", "fresh"].map((comment) => generateKeyPair(comment).publicKey);
    scene.world.hostKeys = [exposed ?? ""];
    scene.world.hostKeysExposed = true;
    scene.ssh.says.set("new-host-keys", [() => ({ facts: [["host-key", fresh ?? ""]] })]);
    let between = "";
    scene.ssh.says.set("use-host-keys", [
      () => {
        between = scene.pinned();
        return {};
      },
    ]);
    await scene.create();
    const blob = (key = ""): string => key.split(" ")[1] ?? "";
    assert.ok(between.includes(blob(exposed)) && between.includes(blob(fresh)), "both are believed while they change");
    assert.ok(scene.pinned().includes(blob(fresh)) && !scene.pinned().includes(blob(exposed)));
    assert.deepEqual(scene.ssh.scripts, ["greeting", "look", "new-host-keys", "use-host-keys", "configure"]);
    assert.equal(scene.world.withdrawn, 1);
  });

  it("believes the injected keys alone before the driver looks where the machine is, when it could ask the machine", async () => {
    await using scene = new Scene({ provisionable: true }).withEngine();
    const { publicKey } = generateKeyPair("injected");
    scene.world.hostKeys = [publicKey];
    scene.world.sshHost = "127.0.0.1";
    let pinned = "";
    scene.world.before.set("locate", () => void (pinned = scene.pinned()));
    await scene.create();
    assert.ok(pinned.includes(publicKey.split(" ")[1] ?? "none"));
  });

  it("tells what the host's script said, and goes on from there when asked again", async () => {
    await using scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
    const whole = scene.ssh.says.get("configure") ?? [];
    scene.ssh.says.set("configure", [() => ({ fail: { code: "engine-start", message: "The engine on web does not start" } })]);
    assert.match((await failure(scene.create())).message, /The engine on web does not start/u);
    assert.equal(scene.world.instances.length, 1);
    scene.ssh.says.set("configure", whole);
    await scene.create();
    assert.equal(scene.world.instances.length, 1);
    assert.equal(scene.hasJournal(), false);
  });
});

describe("start, stop, kill, restart", () => {
  it("follow an address that changes, and refuse what is so already", async () => {
    const scene = new Scene();
    await scene.create();
    assert.equal((await failure(changeState(scene.context, "web", "start", never))).message, 'Machine "web" is already running.');
    await changeState(scene.context, "web", "stop", never);
    assert.equal((await failure(changeState(scene.context, "web", "stop", never))).message, 'Machine "web" is already stopped.');
    await changeState(scene.context, "web", "start", never);
    assert.equal((await scene.config())["IPAddress"], "192.0.2.2");
    await changeState(scene.context, "web", "restart", never);
    await changeState(scene.context, "web", "kill", never);
    assert.equal(scene.world.instances[0]?.state, "Stopped");
  });

  it("say in 0.16.2's words and order what was done, also where the engine does not come", async () => {
    const scene = new Scene();
    await scene.create();
    const said = async (verb: "start" | "stop" | "restart"): Promise<string[]> => {
      scene.events.length = 0;
      await changeState(scene.context, "web", verb, never).catch(() => {});
      return scene.said("info").split("\n");
    };
    assert.deepEqual(await said("restart"), ['Restarting "web"...']);
    assert.deepEqual(await said("stop"), ['Stopping "web"...', 'Machine "web" was stopped.']);
    const started = ['Starting "web"...', 'Machine "web" was started.'];
    assert.deepEqual(await said("restart"), ['Restarting "web"...', ...started]);
    await said("stop");
    scene.world.after.set("locate", () => {
      throw new Error("it has no address");
    });
    assert.deepEqual(await said("start"), started);
  });

  it("tell what the driver says, and that it did not act in time", async () => {
    const scene = new Scene();
    await scene.create();
    scene.fail("stop", new Error("no permission"));
    await assert.rejects(changeState(scene.context, "web", "stop", never), /no permission/u);
    scene.world.before.set(
      "stop",
      async (signal) => await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("late")))),
    );
    const error = await failure(changeState(scene.context, "web", "stop", never));
    assert.deepEqual([error.code, error.message], ["timeout", 'The driver of "web" did not stop the instance within 500 ms']);
  });
});

describe("rm and gc", () => {
  it("remove the instance first; where that fails the record stays, unless it is forced", async () => {
    const scene = new Scene();
    await scene.create();
    scene.fail("remove", new Error("not now"));
    assert.match((await failure(scene.remove())).message, /^Error removing host "web": not now$/u);
    assert.deepEqual(await scene.names(), ["web"]);
    await scene.remove("web", true);
    assert.deepEqual(await scene.names(), []);
    assert.equal((await failure(scene.remove())).code, "machine-not-found");
  });

  it("never take another's instance, though it stands beside ours", async () => {
    const scene = new Scene();
    scene.world.instances.push({ id: "i-theirs", mark: "", address: "192.0.2.99", state: "Running" });
    await scene.create();
    await scene.remove();
    assert.deepEqual(
      scene.world.instances.map(({ id }) => id),
      ["i-theirs"],
    );
  });

  it("list what a cut-off create left with its instance, and remove it", async () => {
    const scene = new Scene();
    scene.world.after.set("create", () => {
      throw new MachineError("provider-unreachable", "the answer was lost");
    });
    await failure(scene.create());
    scene.world.after.clear();
    const leftovers = await findLeftovers(scene.context, never);
    assert.deepEqual(
      leftovers.map(({ name, command, instances }) => [name, command, instances.length]),
      [["web", "create", 1]],
    );
    await removeLeftovers(scene.context, leftovers, never);
    assert.deepEqual([await scene.names(), scene.world.instances.length], [[], 0]);
  });

  it("keep the record of a request that was under way, and remove what comes of it later", async () => {
    const scene = new Scene();
    scene.fail("create", new MachineError("provider-unreachable", "no answer yet"));
    await failure(scene.create());
    await scene.remove();
    assert.deepEqual(await scene.names(), []);
    const [buried] = await findLeftovers(scene.context, never);
    assert.equal(buried?.removed, true);
  });
});

describe("an upgrade that fails", () => {
  it("leaves no mark where the host says that nothing was changed, and one where it does not", async () => {
    await using scene = new Scene().withEngine();
    await scene.create();
    const fail = { code: "package-manager", message: "No docker.io of version 99 can be had" };
    for (const facts of [[["untouched", "yes"]], []] as const) {
      scene.ssh.says.set("install", [() => ({ facts, fail })]);
      const error = await failure(upgradeMachine(scene.context, "web", never, "99"));
      assert.deepEqual([error.message, scene.hasJournal()], [fail.message, facts.length === 0]);
    }
    scene.ssh.says.set("install", [() => ({ facts: [["untouched", "yes"]], fail })]);
    await failure(upgradeMachine(scene.context, "web", never, "99"));
    assert.ok(scene.hasJournal(), "what was begun before is still to be gone on with");
  });
});

describe("a machine that somebody else shares", () => {
  it("is neither provisioned nor upgraded, and no command stays open on it", async () => {
    const scene = new Scene();
    await scene.create();
    const shared = { ...scene.context, findDriver: async () => fakeDriverModule(scene.world, { guest: true }) };
    for (const work of [provisionAgain, upgradeMachine]) {
      const error = await failure(work(shared, "web", never));
      assert.deepEqual([error.code, scene.hasJournal()], ["driver-unsupported", false]);
    }
  });
});
