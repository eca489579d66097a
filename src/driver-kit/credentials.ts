/**
 * Where credentials come from: places looked at in one order (a flag, its variable, the provider's own chain), and the
 * error that lists them all when nothing was found. Knows nothing of what a credential is.
 */
import { MachineError } from "../errors/machine-error.ts";

export interface CredentialPlace<Credential> {
  /** For the error that lists where was looked: "--digitalocean-access-token", "doctl's config.yaml". */
  readonly name: string;
  /**
   * Undefined: nothing there, look on. What is there and unusable is an error of its own (`provider-credentials`), not a
   * reason to look on: the user meant it.
   */
  look(signal: AbortSignal): Promise<Credential | undefined>;
  /** What is found here may be stored with the machine: only what the command line itself gave. */
  readonly storable: boolean;
}

export interface FoundCredential<Credential> {
  readonly credential: Credential;
  /** Name of the place. */
  readonly place: string;
  readonly storable: boolean;
}

export interface CredentialSearch<Credential> {
  /** As users call it: "DigitalOcean". */
  readonly provider: string;
  /** In the order they are looked at. */
  readonly places: readonly CredentialPlace<Credential>[];
  /** How to get some: "Make a token at … and give it with --digitalocean-access-token". */
  readonly wayOut: string;
}

/**
 * The first credential there is. Throws `provider-credentials` naming every place when there is none, what a place
 * throws, or the signal's reason. The caller registers what is secret in it.
 */
export async function findCredential<Credential>(
  search: CredentialSearch<Credential>,
  signal: AbortSignal,
): Promise<FoundCredential<Credential>> {
  for (const place of search.places) {
    signal.throwIfAborted();
    const credential = await place.look(signal);
    if (credential !== undefined) return { credential, place: place.name, storable: place.storable };
  }
  const looked = search.places.map(({ name }) => name).join(", ");
  throw new MachineError("provider-credentials", `No credentials for ${search.provider} were found; looked at: ${looked}`, {
    hint: search.wayOut,
  });
}
