import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { FakeContainerPorts } from "../../testing/fake-driver.ts";
import { never, Scene } from "../../testing/scene.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { identifyProcess } from "../../system/process-identity.ts";
import type { SpawnOptions } from "../../system/process.ts";
import { execOnMachine } from "../exec.ts";
import { openHost } from "../host/open-host.ts";
import { changeState } from "../lifecycle.ts";
import type { MachineContext } from "../machine-context.ts";
import { listPorts } from "../ports.ts";
import { renameMachine } from "../rename.ts";
import { keepPublished } from "./keep.ts";
import { readNote, writeNote, type WatcherNote } from "./watcher-note.ts";

interface Started {
  readonly command: readonly string[];
  readonly options: SpawnOptions;
}

/** A child that has started, or could not be. */
function child(error: Error | undefined): ChildProcess {
  const made = Object.assign(new EventEmitter(), { unref: () => {} });
  setImmediate(() => (error === undefined ? made.emit("spawn") : made.emit("error", error)));
  return made as unknown as ChildProcess;
}

/** A process of this computer with this word on its command line. */
function sleeper(word: string): ChildProcess {
  return spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", word], { stdio: "ignore" });
}

/** A machine, and what of ours was started for it. */
class StartScene {
  readonly scene = new Scene();
  readonly clock = new FakeClock();
  readonly started: Started[] = [];
  error: Error | undefined;
  readonly context: MachineContext = {
    ...this.scene.context,
    clock: this.clock,
    computer: {
      ...this.scene.context.computer,
      env: { PATH: "/bin", HOME: "/home/me", MACHINE_TIMEOUT_ENGINE: "5m", AWS_SECRET_ACCESS_KEY: "hidden" },
    },
    ownProgram: ["/opt/docker-machine", "--native-ssh"],
    processes: {
      ...this.scene.context.processes,
      spawn: (program, args, options = {}) => {
        this.started.push({ command: [program, ...args], options });
        return child(this.error);
      },
    },
  };

  static async open(): Promise<StartScene> {
    const made = new StartScene();
    made.scene.world.containerPorts = new FakeContainerPorts();
    await made.scene.create();
    return made;
  }

  async keep(): Promise<void> {
    await using host = await openHost(this.context, "web");
    await keepPublished(this.context, host);
  }

  async note(change: Partial<WatcherNote>): Promise<void> {
    const note = { machine: "web", since: this.clock.now().toISOString(), ports: [], ...change };
    await writeNote(this.context.store.machineDir("web"), note);
  }
}

describe("the start of a watcher", () => {
  it("is this program once more, with nothing secret in its arguments and its environment", async () => {
    const made = await StartScene.open();
    await made.keep();
    const { folder } = made.scene;
    assert.deepEqual(
      made.started.map(({ command }) => command),
      [["/opt/docker-machine", "--native-ssh", "--storage-path", folder, "__publish", "web"]],
    );
    const [{ options }] = made.started as [Started];
    assert.deepEqual(options.env, { PATH: "/bin", HOME: "/home/me", MACHINE_TIMEOUT_ENGINE: "5m" });
    assert.deepEqual([options.detached, options.cwd], [true, folder]);
  });

  it("comes once while one comes up, and again where that said nothing", async () => {
    const made = await StartScene.open();
    await Promise.all([made.keep(), made.keep()]);
    await made.keep();
    const first = made.started.length;
    assert.ok(first <= 2, "two at the very same moment are told apart by the lock");
    await made.clock.advance(11_000);
    await made.keep();
    assert.equal(made.started.length, first + 1);
  });

  it("does not come while one is there, and comes after one that was killed", async () => {
    const made = await StartScene.open();
    const other = sleeper("__publish");
    await made.note({ process: await identifyProcess(other.pid ?? 0), run: "first run" });
    await made.keep();
    assert.equal(made.started.length, 0);
    other.kill("SIGKILL");
    await once(other, "exit");
    await made.keep();
    assert.equal(made.started.length, 1);
  });

  it("replaces one that knows the machine by the name it had", async () => {
    const made = await StartScene.open();
    const other = sleeper("__publish");
    const ended = once(other, "exit");
    await made.note({ process: await identifyProcess(other.pid ?? 0), run: "first run" });
    await renameMachine(made.context, "web", "shop", never);
    assert.deepEqual(await ended, [null, "SIGTERM"]);
    assert.equal(made.started[0]?.command.at(-1), "shop");
  });

  it("is not to be outlived by one: whoever stops or removes the machine ends it", async () => {
    for (const end of [
      async ({ context }: StartScene) => await changeState(context, "web", "stop", never),
      async ({ context }: StartScene) => await changeState(context, "web", "kill", never),
      async ({ scene }: StartScene) => await scene.remove(),
    ]) {
      const made = await StartScene.open();
      const other = sleeper("__publish");
      const ended = once(other, "exit");
      await made.note({ process: await identifyProcess(other.pid ?? 0), run: "first run" });
      const passing = setInterval(() => void made.clock.advance(20), 5);
      await end(made);
      clearInterval(passing);
      assert.deepEqual(await ended, [null, "SIGTERM"]);
    }
  });

  it("ends no other process that has its number by now, or that someone wrote down", async () => {
    const made = await StartScene.open();
    const other = sleeper("innocent");
    await once(other, "spawn");
    await made.note({ process: await identifyProcess(other.pid ?? 0), run: "first run" });
    await changeState(made.context, "web", "stop", never);
    await made.note({ machine: "another", process: await identifyProcess(other.pid ?? 0), run: "first run" });
    await made.keep();
    assert.deepEqual([other.exitCode, other.signalCode], [null, null]);
    other.kill("SIGKILL");
    assert.deepEqual(await once(other, "exit"), [null, "SIGKILL"]);
  });

  it("comes with what starts a machine or finds it running, and with nothing else", async () => {
    const made = await StartScene.open();
    const { context } = made;
    const startedBy = async (what: () => Promise<unknown>): Promise<number> => {
      await made.clock.advance(11_000);
      const before = made.started.length;
      await what();
      return made.started.length - before;
    };
    assert.equal(await startedBy(async () => await changeState(context, "web", "stop", never)), 0);
    assert.equal(await startedBy(async () => await changeState(context, "web", "start", never)), 1);
    assert.equal(await startedBy(async () => await changeState(context, "web", "restart", never)), 1);
    assert.equal(await startedBy(async () => await execOnMachine(context, "web", { command: "true", timeoutMs: 500 }, never)), 1);
    made.scene.world.containerPorts = undefined;
    assert.equal(await startedBy(async () => await changeState(context, "web", "restart", never)), 0);
    assert.equal(await listPorts(context, "web"), undefined);
  });

  it("never makes a command fail: start warns, and who asks for something else is told nothing", async () => {
    const made = await StartScene.open();
    made.error = new Error("no such program");
    await changeState(made.context, "web", "restart", never);
    assert.match(made.scene.said("warn"), /^The ports of containers on "web" do not come to this computer: no such program$/mu);
    const said = made.scene.events.length;
    await made.keep();
    assert.equal(made.started.length, 2, "it is tried again");
    assert.deepEqual(
      made.scene.events.slice(said).map((event) => (event.type === "log" ? event.level : event.type)),
      ["debug"],
    );
    assert.equal(await readNote(made.context.store.machineDir("web")), undefined);
  });
});
