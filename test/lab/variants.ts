/** The kinds of hosts in the lab. A variant is data: an image, what is done to it before it boots, and what it waits for. */

export interface Variant {
  /** What a test gets, in one line. */
  readonly summary: string;
  /** Name of a recipe. */
  readonly image: string;
  /** User who may log in with the lab's key; root by default. */
  readonly user?: string;
  /** Shell, before systemd starts, at the first boot: users, files. */
  readonly prepare?: string;
  /** Shell by exec, once sshd answers: returns when the host is what the variant says. */
  readonly settle?: string;
  readonly sudoPassword?: string;
}

const waitForEngine = `timeout 30 sh -c 'until docker version > /dev/null 2>&1; do sleep 0.1; done'`;

export const variants = {
  bullseye: { summary: "Debian 11, nothing but sshd", image: "bullseye-bare" },
  bookworm: { summary: "Debian 12, nothing but sshd", image: "bookworm-bare" },
  trixie: { summary: "Debian 13, nothing but sshd", image: "trixie-bare" },
  "bullseye-engine": { summary: "Debian 11 with Debian's engine 20.10.5", image: "bullseye-engine", settle: waitForEngine },
  "bookworm-engine": { summary: "Debian 12 with Debian's engine 20.10.24", image: "bookworm-engine", settle: waitForEngine },
  "trixie-engine": { summary: "Debian 13 with Debian's engine 26.1", image: "trixie-engine", settle: waitForEngine },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof variants;

export function requireVariant(name: string): Variant {
  const variant = (variants as Readonly<Record<string, Variant>>)[name];
  if (variant === undefined) throw new Error(`The lab has no variant ${name}; it has ${Object.keys(variants).join(", ")}`);
  return variant;
}
