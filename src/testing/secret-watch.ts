/**
 * A driver's secrets as the core hands them out, as marks that it reveals for a request, and whatever comes out of the
 * driver looked through for them: its configuration, its events, its errors, the programs it runs.
 */
import assert from "node:assert/strict";
import type { FlagValue } from "../driver-kit/create-flag.ts";
import type { DriverContext, DriverModule } from "../driver-kit/driver.ts";
import { isSecretName } from "../log/secret-names.ts";

const mark = /\[secret:([\w.-]+)\]/gu;

export class SecretWatch {
  /** The flags with marks in place of what is secret among them. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly #secrets = new Map<string, string>();
  readonly #texts: { readonly where: string; readonly text: string }[] = [];

  /** @param isPublic whether a flag's value is no secret, though it is one of a kind that is: a published password */
  constructor(
    { flags, capabilities }: DriverModule,
    given: Readonly<Record<string, FlagValue>>,
    isPublic: (flag: string) => boolean,
  ) {
    const said = new Map(flags.map((flag) => [flag.name, flag.secret]));
    const concealed: Record<string, FlagValue> = { ...given };
    for (const [name, value] of Object.entries(given)) {
      const isSecret = (said.get(name) ?? isSecretName(name)) && !isPublic(name);
      // A driver of others is given the secrets themselves.
      if (!isSecret || typeof value !== "string" || value === "" || capabilities.opaque === true) continue;
      this.#secrets.set(name, value);
      concealed[name] = `[secret:${name}]`;
    }
    this.flags = concealed;
  }

  get isIdle(): boolean {
    return this.#secrets.size === 0;
  }

  /** From now on every secret is another one, that no provider knows. */
  spoil(): void {
    for (const name of this.#secrets.keys()) this.#secrets.set(name, `not-the-${name}-7f3a9c`);
  }

  note(where: string, text: string): void {
    this.#texts.push({ where, text });
  }

  noteError(error: unknown): void {
    for (let next = error, depth = 0; next instanceof Error && depth < 10; next = next.cause, depth += 1)
      this.note("an error", `${next.message}\n${next.stack ?? ""}\n${JSON.stringify(next)}`);
  }

  /** The context, with marks revealed, and what goes through it noted. */
  watched(context: DriverContext): DriverContext {
    const { processes, report } = context;
    return {
      ...context,
      reveal: async (value) => value.replaceAll(mark, (all, name: string) => this.#secrets.get(name) ?? all),
      report: (event) => {
        this.note("an event", JSON.stringify(event));
        report(event);
      },
      processes: {
        find: async (program) => await processes.find(program),
        run: async (program, args, options) => {
          this.note(`the arguments of ${program}`, args.join(" "));
          this.note(`the environment of ${program}`, JSON.stringify(options?.env ?? {}));
          return await processes.run(program, args, options);
        },
        spawn: (program, args, options) => {
          this.note(`the arguments of ${program}`, args.join(" "));
          this.note(`the environment of ${program}`, JSON.stringify(options?.env ?? {}));
          return processes.spawn(program, args, options);
        },
      },
    };
  }

  assertNothingLeaked(): void {
    for (const [name, secret] of this.#secrets)
      for (const { where, text } of this.#texts) assert.ok(!text.includes(secret), `${where} shows the value of --${name}`);
  }
}
