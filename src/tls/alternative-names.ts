/** Names that a certificate can be made for. Knows no certificate, so that options are checked before one is thought of. */
import { isIP } from "node:net";
import { MachineError } from "../errors/machine-error.ts";

export type AlternativeName = { readonly kind: "address" | "dns"; readonly name: string };

/** Blanks and brackets around a name do not count; undefined for nothing. Throws `usage`. */
export function alternativeName(given: string): AlternativeName | undefined {
  const name = given.trim().replace(/^\[(.+)\]$/u, "$1");
  if (name === "") return undefined;
  if (isIP(name) !== 0) return { kind: "address", name };
  if (/^[\x21-\x7e]+$/u.test(name)) return { kind: "dns", name };
  throw new MachineError(
    "usage",
    `A certificate cannot be made for ${JSON.stringify(name)}: it is neither an address nor a host name`,
  );
}

/** Values of `--tls-san`, before any host is contacted. Throws `usage`, also for what no client would ever look for. */
export function requireTlsNames(names: readonly string[]): void {
  for (const name of names) {
    const read = alternativeName(name);
    if (read === undefined || read.kind === "address" || !/[,/:]/u.test(read.name)) continue;
    throw new MachineError("usage", `--tls-san ${JSON.stringify(name)} is neither an address nor a host name`, {
      hint: "Give a name or an address alone, without scheme and port, and --tls-san once for each.",
    });
  }
}
