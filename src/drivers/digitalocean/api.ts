/**
 * DigitalOcean's API v2: what the driver asks, and the parts of the answers that it reads, named as the vendor's OpenAPI
 * names them (https://github.com/digitalocean/openapi).
 */
import type { FoundCredential } from "../../driver-kit/credentials.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { HttpApi, type ApiRequest } from "../../driver-kit/http-api.ts";
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { explain, failures } from "./failures.ts";
import type { DigitalOceanConfig } from "./options.ts";
import { findToken, tokenPage } from "./token.ts";

export interface Droplet {
  readonly id: number;
  readonly name: string;
  readonly status: "new" | "active" | "off" | "archive";
  readonly created_at: string;
  readonly networks: { readonly v4: readonly Network[]; readonly v6: readonly Network[] };
  readonly tags: readonly string[];
}

interface Network {
  readonly ip_address: string;
  readonly type: "public" | "private";
}

export interface Action {
  readonly id: number;
  readonly status: "in-progress" | "completed" | "errored";
  readonly type: string;
}

export interface AccountKey {
  readonly id: number;
  readonly fingerprint: string;
  readonly public_key: string;
}

export interface Region {
  readonly slug: string;
  readonly available: boolean;
  readonly features: readonly string[];
  /** Slugs of those that can be had there now. */
  readonly sizes: readonly string[];
}

export interface Image {
  readonly id: number;
  readonly slug: string | null;
  readonly regions: readonly string[];
}

/** The largest page that is given. */
const pageSize = 200;

export class DigitalOceanApi {
  readonly #api: HttpApi;
  /** Found with the first request. */
  #token: FoundCredential<string> | undefined;

  constructor(context: DriverContext, config: DigitalOceanConfig) {
    this.#api = new HttpApi(context, {
      provider: "DigitalOcean",
      baseUrl: config.ApiUrl,
      authorize: async (signal, refused) => {
        const { credential, place } = (this.#token ??= await findToken(context, config.AccessToken, signal));
        if (refused) throw refusedToken(place, context.machineName);
        return { authorization: `Bearer ${credential}` };
      },
      explain,
      failures,
      facts: { image: config.Image, region: config.Region, size: config.Size },
    });
  }

  async send<Answer>(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    return await this.#api.send<Answer>(request, signal);
  }

  /** Undefined where it does not exist. */
  async find<Answer>(path: string, signal: AbortSignal): Promise<Answer | undefined> {
    return await this.#api.find<Answer>({ method: "GET", path }, signal);
  }

  /** All of a list, whatever its length. @param member of the answer: `droplets` */
  async list<Item>(path: string, member: string, query: ApiRequest["query"], signal: AbortSignal): Promise<readonly Item[]> {
    const reader = {
      items: (answer: unknown) => (answer as Readonly<Record<string, readonly Item[]>>)[member] ?? [],
      next: (answer: unknown) => (answer as { links?: { pages?: { next?: string } } }).links?.pages?.next,
    };
    const items: Item[] = [];
    const request: ApiRequest = { method: "GET", path, query: { ...query, per_page: pageSize } };
    for await (const item of this.#api.pages<Item>(request, reader, signal)) items.push(item);
    return items;
  }

  /** False where it was gone already. What is still being worked on is asked again for a minute or two. */
  async delete(path: string, signal: AbortSignal): Promise<boolean> {
    const retry = { attempts: 30, firstDelayMs: 3_000, longestDelayMs: 5_000 };
    try {
      await this.#api.answer({ method: "DELETE", path, retry }, signal);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}

function refusedToken(place: string, machineName: string): MachineError {
  const change = `docker-machine config set ${machineName} digitalocean-access-token`;
  return new MachineError("provider-credentials", `DigitalOcean does not accept the token of ${place}`, {
    hint: `It is wrong, revoked or expired: make a new one at ${tokenPage}. A machine that exists takes it by: ${change}`,
  });
}
