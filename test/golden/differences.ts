/**
 * Where we differ from the recording on purpose. Each difference has a name that `docs/differences.md` explains; a case
 * must be equal after the differences that apply to it, and each of them must apply somewhere.
 */
import { withoutAdditions } from "./additions.ts";
import type { GoldenCase } from "./golden-cases.ts";
import type { Mode, Outcome } from "./replay.ts";

export interface Difference {
  readonly name: string;
  /** Where it shows; both unless given. */
  readonly mode?: Mode;
  readonly applies: (golden: GoldenCase) => boolean;
  /** What is expected in place of the recording. */
  readonly expect?: (golden: GoldenCase) => GoldenCase;
  /** The outcome as 0.16.2 would have shown it. */
  readonly translate?: (outcome: Outcome) => Outcome;
}

const isHelp = ({ stdout }: { stdout: string }): boolean => stdout.includes("Usage: docker-machine");
const isCreateHelp = (golden: GoldenCase): boolean => isHelp(golden) && golden.args[0] === "create";

/** Errors about the command line itself. */
const usageErrors: readonly RegExp[] = [
  /^flag provided but not defined/u,
  /is not a docker-machine command/u,
  /^Error: (?:Expected|No machine name|Too many arguments)/u,
  /^Improper number of arguments/u,
  /^Invalid command line/u,
  /^Error parsing boolean value from MACHINE_DEBUG/u,
  /^Error parsing swarm discovery/u,
];

const silentEngine = /There was an error validating certificates for host .*: dial tcp/u;
const regenerationAdvice = /You can attempt to regenerate them using [^]*?might stop running containers\.\n\n?/u;

export const differences: readonly Difference[] = [
  {
    name: "usage-errors-exit-2",
    mode: "default",
    applies: ({ code, stderr }) => code <= 1 && usageErrors.some((pattern) => pattern.test(stderr)),
    expect: (golden) => ({ ...golden, code: 2 }),
  },
  {
    name: "missing-machine-exits-4",
    mode: "default",
    applies: ({ code, stderr }) =>
      code === 1 && /^(?:Error removing host "\w+": )?Docker machine "\w+" does not exist\./u.test(stderr),
    expect: (golden) => ({ ...golden, code: 4 }),
  },
  {
    name: "hints",
    mode: "default",
    applies: ({ stderr }) => stderr !== "",
    translate: (outcome) => ({ ...outcome, stderr: outcome.stderr.replaceAll(/^Hint: .*\n/gmu, "") }),
  },
  {
    // Certificates are not to blame for an engine that does not answer.
    name: "engine-down-advice",
    mode: "default",
    applies: ({ stderr }) => silentEngine.test(stderr),
    expect: (golden) => ({ ...golden, stderr: golden.stderr.replace(regenerationAdvice, "") }),
  },
  {
    name: "more-flags-and-commands",
    applies: isHelp,
    translate: (outcome) => ({ ...outcome, stdout: withoutAdditions(outcome.stdout) }),
  },
  {
    name: "default-driver",
    mode: "default",
    applies: isCreateHelp,
    // The name's length moves the tab that follows it.
    expect: (golden) => ({ ...golden, stdout: golden.stdout.replace(/"virtualbox"\t+/u, '"qemu"\t') }),
    translate: (outcome) => ({ ...outcome, stdout: outcome.stdout.replace(/"qemu"\t+/u, '"qemu"\t') }),
  },
  {
    name: "default-driver-flags",
    applies: (golden) => golden.args.join(" ") === "create --help",
    expect: (golden) => ({ ...golden, stdout: withoutDriverFlags(golden.stdout) }),
    translate: (outcome) => ({ ...outcome, stdout: withoutDriverFlags(outcome.stdout) }),
  },
  {
    name: "env-without-shell",
    applies: ({ note }) => note === "no SHELL",
    expect: (golden) => ({
      ...golden,
      code: 0,
      stdout: `unset DOCKER_TLS_VERIFY\nunset DOCKER_HOST\nunset DOCKER_CERT_PATH\nunset DOCKER_MACHINE_NAME\n# Run this command to configure your shell: \n# eval $(docker-machine env -u)\n`,
      stderr: "",
    }),
  },
  {
    name: "version",
    applies: ({ args }) => args.join(" ") === "version",
    translate: (outcome) => ({
      ...outcome,
      stdout: outcome.stdout.replace(/version \S+, build \S+/u, "version dev, build HEAD"),
    }),
  },
];

/** The flags of the driver that is the default are not 0.16.2's. */
function withoutDriverFlags(help: string): string {
  return help.replaceAll(/^ {3}--(?:virtualbox|qemu)-.*\n/gmu, "");
}

/** The differences that apply to a case. */
export function differencesOf(golden: GoldenCase, mode: Mode): readonly Difference[] {
  return differences.filter((difference) => (difference.mode ?? mode) === mode && difference.applies(golden));
}
