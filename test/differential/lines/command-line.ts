/** A command line that both programs are given. */

export interface CommandLine {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** The row of `docs/differences.md` that says why the two differ here. They must. */
  readonly differs?: string;
}

export const line = (...args: readonly string[]): CommandLine => ({ args });

/** Words at spaces. */
export const words = (text: string, env?: Readonly<Record<string, string>>): CommandLine => ({
  args: text.split(" ").filter((word) => word !== ""),
  ...(env === undefined ? {} : { env }),
});

/** Creates a machine without a driver; nothing listens at its address. */
export const none = (name: string, port: number, ...flags: readonly string[]): CommandLine =>
  line("create", "-d", "none", "--url", `tcp://127.0.0.20:${port}`, ...flags, name);

export const differing = (row: string, ...lines: readonly CommandLine[]): CommandLine[] =>
  lines.map((each) => ({ ...each, differs: row }));
