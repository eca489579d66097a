/** What host names are called here. */
import * as dns from "node:dns/promises";
import { messageOf, systemCodeOf } from "../errors/machine-error.ts";

/** Addresses of a host name, as programs of this computer find them. */
export async function addressesOf(name: string): Promise<{ readonly addresses: readonly string[]; readonly error?: string }> {
  try {
    return { addresses: (await dns.lookup(name, { all: true })).map(({ address }) => address) };
  } catch (error) {
    return {
      addresses: [],
      error: systemCodeOf(error) === "ENOTFOUND" ? `Could not resolve hostname ${name}` : messageOf(error),
    };
  }
}
