/**
 * From a stored record to an engine that answers: what `create` does once the record stands, and what goes on with it
 * after an interruption. Each step may have been taken before.
 */
import { MachineError, messageOf } from "../errors/machine-error.ts";
import { logTo, reportNothing } from "../log/event.ts";
import { waitForSsh } from "../ssh/connect.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import { within } from "../system/waiting.ts";
import { hostKeyRenewal, pinDriverKeys } from "./host/driver-keys.ts";
import { takeOverEngine } from "./host/engine-template.ts";
import { inPhase } from "./creation-error.ts";
import { isProvisioned, type Host } from "./host/host.ts";
import { locate } from "./host/locate.ts";
import { isCreateUncertain } from "./interruption/interrupted.ts";
import type { JournalReading } from "./interruption/journal.ts";
import { tellHost } from "./lifetime/apply-lifetime.ts";
import { describeEnd, lifetimeOf } from "./lifetime/recorded-lifetime.ts";
import type { MachineContext } from "./machine-context.ts";
import { keepPublished } from "./published/keep.ts";
import { provisionMachine, serverKeyAhead } from "./provision-machine.ts";
import { waitForState } from "./host/wait-for-state.ts";

/** @param earlier what the journal told when this command began; undefined for a machine that is new. */
export async function bringUp(
  context: MachineContext,
  host: Host,
  earlier: JournalReading | undefined,
  signal: AbortSignal,
): Promise<void> {
  const journal = await host.openJournal("create");
  if (needsInstance(host, earlier))
    await journal.step(
      "instance",
      async () => await inPhase("instance", signal, async () => await makeInstance(context, host, signal)),
    );
  if (isProvisioned(host) && (await takeOverEngine(context, host, signal))) {
    if (lifetimeOf(host.record.extra, context.timeouts) !== undefined)
      await journal.step("provision", async () => await tellHost(context, host, signal));
  } else if (isProvisioned(host)) {
    // While the login waits for the other side.
    const serverKey = earlier === undefined ? serverKeyAhead(host) : undefined;
    await using ssh = await journal.step("ssh", async () => await firstContact(context, host, signal));
    // Who goes on with a create knows what its first boot complained of.
    const first = { serverKey, renewHostKeys: await hostKeyRenewal(host, signal), firstBootMustSucceed: earlier === undefined };
    await journal.step("provision", async () => {
      await inPhase("provision", signal, async () => await provisionMachine(context, host, ssh, signal, first));
    });
    await host.save();
  } else if (host.module.capabilities.guest === true) {
    await journal.step("ssh", async () => await inPhase("ssh", signal, async () => await meetEngine(context, host, signal)));
  } else if (host.driver.locate !== undefined) {
    await untilRunning(context, host, signal);
  }
  await journal.close();
  await keepPublished(context, host, "begun");
  const end = describeEnd(host);
  if (end !== undefined) logTo(host.report, "info", end);
}

/** A driver takes over what its interrupted `create` began, unless it is one that must not be asked twice. */
function needsInstance({ name, module }: Host, earlier: JournalReading | undefined): boolean {
  if (earlier === undefined || module.capabilities.opaque !== true) return true;
  if (!isCreateUncertain(earlier, module.capabilities)) return !earlier.has("instance", "done");
  throw new MachineError(
    "machine-interrupted",
    `The create of "${name}" was cut off while its driver made the instance, and the driver cannot tell what became of it`,
    {
      hint: `Look for it at the provider; then remove what is left with: docker-machine rm ${name}`,
    },
  );
}

async function makeInstance(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  const otherwise = `The driver of "${host.name}" did not make the instance`;
  await within(
    { ms: context.timeouts.driverMs, clock: context.clock, signal },
    async (bound) => await host.driver.create(bound),
    otherwise,
  );
  await host.save();
}

/** Runs, at an address that is known. */
async function untilRunning(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  await inPhase("running", signal, async () => {
    await waitForState(context, host, "Running", signal);
    // A driver that knows a way to its SSH may ask the machine itself where it is, and no other machine.
    if ((await host.driver.getSshHostname()) !== "") await pinDriverKeys(host, reportNothing);
    await locate(context, host, signal);
  });
}

/** A guest has nothing to do but to see that the door is open. */
async function meetEngine(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  await pinDriverKeys(host);
  host.report({ type: "checking-engine" });
  const { versionOverSsh } = await import("./host/engine-over-ssh.ts");
  await versionOverSsh(context, host, signal);
  host.report({ type: "engine-ready" });
}

async function firstContact(context: MachineContext, host: Host, signal: AbortSignal): Promise<SshExecutor> {
  const { capabilities } = host.module;
  host.report({ type: "waiting-for-running" });
  if (!capabilities.adopted) await untilRunning(context, host, signal);
  await pinDriverKeys(host);
  host.report({ type: "detecting-os" });
  host.report({ type: "waiting-for-ssh" });
  const wait = {
    open: host.openSsh,
    timeoutMs: context.timeouts.sshMs,
    clock: context.clock,
    signal,
    // A new instance lets its user in once cloud-init is done; a box that exists either does or does not.
    retryAuthentication: !capabilities.adopted,
    isUp: capabilities.adopted,
    onAttempt: sayWhatIsWrong(host, signal),
  };
  return await inPhase("ssh", signal, async () => await waitForSsh(wait));
}

/** While a box boots that we made, its refusals are no news; of one that exists the user should know what is waited for. */
function sayWhatIsWrong(host: Host, signal: AbortSignal): (error: unknown, boundMs: number) => void {
  const level = host.module.capabilities.adopted ? "info" : "debug";
  let said = "";
  return (error, boundMs) => {
    const what = messageOf(error);
    if (what !== said && !signal.aborted) logTo(host.report, level, `${what}; trying again for up to ${boundMs / 1_000} s`);
    said = what;
  };
}
