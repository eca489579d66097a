/** A fleet's file, and a provider and a store that are in this process. */
import { defaultRollout } from "../../src/fleet/file/fleet-file.ts";
import type { DriverCapabilities } from "../../src/driver-kit/driver.ts";
import { applyWork, checkWork, lockFleet } from "../../src/fleet/apply/apply.ts";
import { workOf, type ApplyWishes } from "../../src/fleet/apply/work.ts";
import type { FleetFile } from "../../src/fleet/file/fleet-file.ts";
import { parseFleet } from "../../src/fleet/file/parse-fleet.ts";
import { makePlan } from "../../src/fleet/plan/make-plan.ts";
import { narrowed, type Plan } from "../../src/fleet/plan/plan.ts";
import { fakeFlagSource } from "../../src/fleet/testing/fake-flags.ts";
import type { MachineContext, Outcome } from "../../src/machine/machine-context.ts";
import { never, Scene } from "../../src/testing/scene.ts";

const noWishes: ApplyWishes = { prune: false, replace: [] };

export class FleetScene extends Scene {
  readonly source = fakeFlagSource({ SIZE: "huge" });
  /** Its driver has sizes that can change. */
  readonly site: MachineContext;

  constructor(change: Partial<DriverCapabilities> = {}) {
    super(change);
    const sizeFlags = { cpus: "fake-cpus", memoryMiB: "fake-memory" };
    const { findDriver } = this.context;
    this.site = { ...this.context, findDriver: async (...asked) => ({ ...(await findDriver(...asked)), sizeFlags }) };
  }

  async read(machines: string, fleet = "shop"): Promise<FleetFile> {
    const text = `version: 1\nfleet: ${fleet}\ndefaults: {driver: fake}\nmachines:\n${machines}\n`;
    return await parseFleet(text, "m.yml", this.source);
  }

  async plan(machines: string, fleet?: string): Promise<Plan> {
    return await makePlan(this.site, await this.read(machines, fleet), this.source);
  }

  /** `name action` of each machine about which something is to be done. */
  async actions(machines: string, fleet?: string): Promise<string[]> {
    const plan = await this.plan(machines, fleet);
    return plan.machines.flatMap(({ name, action }) => (action === "none" ? [] : [`${name} ${action}`]));
  }

  async apply(
    machines: string,
    wishes: Partial<ApplyWishes> = {},
    { signal = never, parallel = 4, fleet = "shop", only = [] as readonly string[] } = {},
  ): Promise<Outcome<void>[]> {
    await using _lock = await lockFleet(this.site, fleet, "apply", signal);
    return await this.applyPlan(narrowed(await this.plan(machines, fleet), only), wishes, { signal, parallel });
  }

  async applyPlan(
    plan: Plan,
    wishes: Partial<ApplyWishes> = {},
    { signal = never, parallel = 4 } = {},
  ): Promise<Outcome<void>[]> {
    const site = { context: this.site, fleet: plan.fleet, source: this.source, signal };
    const work = workOf(plan, { ...noWishes, ...wishes });
    await checkWork(site, work, parallel);
    return await applyWork(site, { work, parallel, swarms: [], rollout: defaultRollout, downgrade: false });
  }

  /** As {@link apply}, where everything is to succeed. */
  async applied(machines: string, wishes: Partial<ApplyWishes> = {}): Promise<void> {
    for (const { name, error } of await this.apply(machines, wishes)) {
      if (error !== undefined) throw new Error(`${name} failed`, { cause: error });
    }
  }
}
