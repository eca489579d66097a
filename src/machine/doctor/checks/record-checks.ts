/** A machine's folder and record, its driver, its provider, and where its address leads. */
import { check, fail, warn, type AnyCheck } from "../check.ts";
import type { Drift, NameLook, ProviderLook, RecordLook, StoreLook } from "../subject.ts";
import type { MachineError } from "../../../errors/machine-error.ts";
import { adviseOnStore, judgeStore, repairStore } from "./computer-checks.ts";

export const recordChecks: readonly AnyCheck[] = [
  check<StoreLook>({
    id: "folder",
    layer: "record",
    title: "the machine's folder can be read, by you alone",
    needs: [],
    of: "machine",
    probe: async (subject) => await subject.folder(),
    // Of the file system the store tells.
    judge: (look) =>
      judgeStore({
        ...look,
        writeError: look.writeError?.why === "denied" ? look.writeError : undefined,
        freeMiB: undefined,
        isOnNfs: false,
      }),
    advice: adviseOnStore,
    repair: (complaint, { repairs }, { problems }) => repairStore(complaint, problems, repairs),
  }),
  check<RecordLook>({
    id: "record",
    layer: "record",
    title: "the record is whole, and no command on it was cut off",
    needs: ["folder"],
    of: "machine",
    probe: async (subject) => await subject.record(),
    judge: ({ error, interruption }) =>
      error !== undefined
        ? fail(error.message, "config.json is damaged, or of a newer version", error.hint ?? "")
        : interruption && fail(interruption.what, "a command was cut off, and its work is half done", interruption.wayOut),
    advice: ({ kind }, { name }) => kind || `Put config.json back, or: docker-machine rm -f ${name}`,
  }),
  check<{ readonly error?: MachineError | undefined }>({
    id: "driver",
    layer: "record",
    title: "the driver is there, and its secrets can be had",
    needs: ["record"],
    of: "machine",
    probe: async (subject) => await subject.driver(),
    judge: ({ error }) =>
      error &&
      fail(
        error.message,
        error.code === "driver-not-found" ? "its plugin is not on PATH" : "a secret leads nowhere",
        error.hint ?? "",
      ),
    advice: ({ kind }, { name }) => kind || `docker-machine config set ${name}`,
  }),
  check<ProviderLook>({
    id: "provider",
    layer: "provider",
    title: "the instance is there, runs, and is where it is recorded",
    needs: ["driver"],
    of: "machine",
    probe: async (subject) => await subject.provider(),
    judge: ({ state, error, recordedAddress, presentAddress, wayToRun }) => {
      if (error !== undefined) return fail(error.message, "the provider could not be asked, or does not know it", "error");
      if (state === "") return fail("the provider knows no such instance", "it was deleted there", "gone");
      if (state !== undefined && state !== "Running") return fail(`its state is ${state}`, "it does not run", "state", wayToRun);
      if (presentAddress !== undefined && presentAddress !== recordedAddress)
        return fail(
          `it is at ${presentAddress}, and recorded at ${recordedAddress}`,
          "it came back with another address",
          "address",
        );
      return undefined;
    },
    advice: ({ kind, about = "" }, { name }) =>
      kind === "address"
        ? `docker-machine regenerate-certs ${name}`
        : kind === "gone"
          ? `docker-machine rm ${name}`
          : kind === "state"
            ? about
            : "Look at it in the provider's console; give credentials anew with docker-machine config set",
    repair: ({ kind }, { repairs }) =>
      kind === "address"
        ? { what: "record the present address", run: async (signal) => await repairs.saveAddress(signal) }
        : undefined,
  }),
  check<NameLook>({
    id: "dns",
    layer: "network",
    title: "the machine's host name is known here",
    needs: ["provider"],
    of: "machine",
    probe: async (subject) => await subject.resolve(),
    judge: ({ name, addresses, error }) =>
      error !== undefined || addresses.length === 0
        ? fail(error ?? `${name} has no address`, "the name cannot be resolved on this computer", "unknown")
        : undefined,
    advice: () => "Check the spelling and the name servers of this computer, or create the machine by its address",
  }),
];

/** Last of all: they are about what others were told of the machine. */
export const useChecks: readonly AnyCheck[] = [
  check<readonly Drift[]>({
    id: "integration",
    layer: "use",
    title: "docker contexts and ssh_config say what the record says",
    needs: ["driver"],
    of: "machine",
    probe: async (subject) => await subject.drift(),
    judge: (drifts) =>
      drifts.length === 0 ? undefined : warn(drifts.map(({ what }) => what).join("; "), "the machine has changed since"),
    advice: (_, { name }) => `docker-machine doctor --fix ${name}`,
    repair: (_, __, drifts) => ({
      what: drifts.map(({ what }) => `put right that ${what}`).join("; "),
      run: async (signal) => {
        for (const drift of drifts) await drift.repair(signal);
      },
    }),
  }),
];
