/** What the contract says of a machine's life, for drivers that make something. Each case plays in a world of its own. */
import assert from "node:assert/strict";
import { isMachineError, messageOf } from "../errors/machine-error.ts";
import { ContractWorld, type DriverContractFixture, type Machine } from "./contract-world.ts";
import { Life, mortalContext } from "./mortal-context.ts";

type Case = (fixture: () => Promise<DriverContractFixture>, signal: AbortSignal, skip: (reason: string) => void) => Promise<void>;

/** The suite's machine, for worlds that are to have something of that name. */
export const contractMachineName = "contract-1";

export const contractLife: Readonly<Record<string, Case>> = {
  "lives a whole life: create, stop, start, restart, kill, remove, and nothing twice": async (fixture, signal) => {
    await ContractWorld.play(fixture, signal, async (world) => {
      await using machine = await world.machine(contractMachineName);
      const driver = await machine.created();
      assert.ok(machine.saves > 0, "create() made no identifier durable");
      await assertReachable(world, machine);
      await assertAllTold(world, machine);
      const made = await machine.found();
      await machine.open().create(signal);
      assert.deepEqual(await machine.found(), made, "a repeated create made something a second time");
      await driver.stop(signal);
      await machine.waitFor(driver, "Stopped");
      await machine.keep(driver);
      await machine.open().start(signal);
      await machine.running();
      await assertReachable(world, machine);
      await machine.open().restart(signal);
      await machine.running();
      await assertReachable(world, machine);
      await machine.open().kill(signal);
      await machine.waitFor(machine.open(), "Stopped");
      for (let time = 1; time <= 2; time += 1) await machine.open().remove(signal);
      assert.deepEqual((await machine.found()) ?? [], []);
      assert.deepEqual((await world.made()) ?? [], [], "not all that was made is gone");
    });
  },

  "without a create id it finds and removes what is recorded, and nothing else": async (fixture, signal) => {
    await ContractWorld.play(fixture, signal, async (world) => {
      const unmarked = { createId: undefined };
      await using other = await world.machine("contract-2");
      await other.created();
      const others = await other.found();
      await using blank = await world.machine(contractMachineName, unmarked);
      await blank.configured();
      assert.deepEqual((await blank.found()) ?? [], [], "an absent mark matched something");
      await blank.open().remove(signal);
      assert.deepEqual(await other.found(), others, "another machine's resources are gone");
      await using machine = await world.machine(contractMachineName);
      await machine.created();
      assert.deepEqual(await machine.found(unmarked), await machine.found(), "what is recorded is ours without a mark too");
      await machine.open(unmarked).remove(signal);
      assert.deepEqual((await machine.found()) ?? [], []);
      assert.deepEqual(await other.found(), others, "another machine's resources are gone");
      await other.open().remove(signal);
    });
  },

  "create that is aborted at any step ends with the reason, and what it made can be removed": async (fixture, signal) => {
    let reached = true;
    for (let step = 1; reached; step += 1) {
      reached = false;
      await ContractWorld.play(fixture, signal, async (world) => void (reached = await abortAt(world, step)));
    }
  },

  "an instance that is gone has no state, is not started, and is removed": async (fixture, signal, skip) => {
    await ContractWorld.play(fixture, signal, async (world) => {
      if (world.given.loseInstance === undefined) return skip("the fixture cannot lose an instance");
      await using machine = await world.machine(contractMachineName);
      await machine.created();
      await world.given.loseInstance();
      assert.equal(await machine.open().getState(signal), "");
      await assert.rejects(machine.open().start(signal), (error) => {
        assert.ok(isMachineError(error), `start threw no sentence of its own: ${String(error)}`);
        return true;
      });
      await machine.open().remove(signal);
      assert.deepEqual((await machine.found()) ?? [], []);
      assert.deepEqual((await world.made()) ?? [], [], "not all that was made is gone");
    });
  },

  "credentials that are refused are in no error, event or record": async (fixture, signal, skip) => {
    await ContractWorld.play(fixture, signal, async (world) => {
      if (world.watch.isIdle) return skip("it has no secrets");
      world.watch.spoil();
      await using machine = await world.machine(contractMachineName);
      const refused = (async () => {
        const driver = await machine.configured();
        await driver.create(signal);
      })();
      await assert.rejects(refused, (error) => {
        world.watch.noteError(error);
        assert.ok(isMachineError(error), `no sentence of its own: ${String(error)}`);
        return true;
      });
      assert.deepEqual((await world.made()) ?? [], []);
    });
  },
};

async function assertReachable(world: ContractWorld, machine: Machine): Promise<void> {
  const driver = machine.open();
  assert.match(await driver.getUrl(), /^tcp:\/\/\S+:\d+$/u);
  assert.notEqual(await driver.getIp(), "");
  const address = await world.given.address?.();
  if (address !== undefined) assert.equal(await driver.getIp(), address, "it is somewhere else");
}

/** What it tells is what is there, of every kind, and one instance. */
async function assertAllTold(world: ContractWorld, machine: Machine): Promise<void> {
  const [found, made] = [await machine.found(), await world.made()];
  if (found === undefined) return;
  assert.equal(found.filter((line) => line.startsWith("instance ")).length, 1, `there is not one instance: ${found.join()}`);
  if (made !== undefined) assert.deepEqual(found, made, "findResources does not tell what is there");
}

/** Whether create has so many steps. */
async function abortAt(world: ContractWorld, step: number): Promise<boolean> {
  const interrupt = new AbortController();
  const reason = new Error("interrupted by the suite");
  await using machine = await world.machine(contractMachineName);
  const steps = new Life(0, (count) => void (count === step && interrupt.abort(reason)));
  const save = async (): Promise<void> => await machine.keep(driver);
  const configured = await machine.configured();
  const driver = machine.open(mortalContext(machine.context, steps, save, world.given.isReading));
  await configured.close?.();
  const outcome = await driver.create(interrupt.signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!interrupt.signal.aborted) {
    assert.equal(outcome, undefined);
    return false;
  }
  // What was made before is still noted; after that there is nothing more to be made.
  const later = steps.steps.slice(step).filter((what) => what.startsWith("before ") && what !== "before save");
  if (outcome === undefined) assert.deepEqual(later, [], `create went on after it was aborted at: ${steps.steps[step - 1]}`);
  else
    assert.equal(outcome, reason, `aborted at ${steps.steps[step - 1]}, create ended for another reason: ${messageOf(outcome)}`);
  await driver.remove(world.signal);
  assert.deepEqual((await machine.found()) ?? [], []);
  assert.deepEqual((await world.made()) ?? [], [], `after an abort at ${steps.steps[step - 1]} something is left`);
  return true;
}
