/**
 * A project at a cloud, entered: the token, kept in memory alone and renewed before it ends or once it is refused, and
 * the addresses of the services, which the token's catalog tells.
 */
import type { DriverContext } from "../../driver-kit/driver.ts";
import { HttpApi } from "../../driver-kit/http-api.ts";
import type { HttpTransport } from "../../driver-kit/http-transport.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { explain, failures } from "./failures.ts";
import { findIdentity, type Identity } from "./identity.ts";
import { Kept } from "./kept.ts";
import type { OpenStackConfig } from "./options.ts";

export type Service = "compute" | "network" | "image" | "volume";

interface Endpoint {
  readonly interface: string;
  readonly region?: string | undefined;
  readonly region_id?: string | undefined;
  readonly url: string;
}

interface CatalogEntry {
  readonly type: string;
  readonly endpoints: readonly Endpoint[];
}

interface Token {
  readonly expires_at: string;
  readonly catalog?: readonly CatalogEntry[] | undefined;
  readonly project?: { readonly id: string; readonly name: string } | undefined;
  readonly roles?: readonly { readonly name: string }[] | undefined;
}

interface Entered {
  readonly identity: Identity;
  readonly http: HttpTransport;
  readonly value: string;
  readonly token: Token;
}

/** As the catalog calls them, the newest first: https://service-types.openstack.org. */
const serviceTypes: Readonly<Record<Service, readonly string[]>> = {
  compute: ["compute"],
  network: ["network"],
  image: ["image"],
  volume: ["block-storage", "volumev3", "volume"],
};

/** A token that ends within this is not begun with. */
const renewBeforeMs = 60_000;

export class Session {
  readonly #context: DriverContext;
  readonly #config: OpenStackConfig;
  readonly #identity = new Kept<Identity>();
  readonly #entered = new Kept<Entered>();

  constructor(context: DriverContext, config: OpenStackConfig) {
    this.#context = context;
    this.#config = config;
  }

  /** The header that bears the token; with `refused` another one than before. */
  async authorize(signal: AbortSignal, refused: boolean): Promise<Readonly<Record<string, string>>> {
    if (refused) this.#entered.forget();
    return { "x-auth-token": (await this.#enter(signal)).value };
  }

  /** As requests to the services are sent: with the trust that the user settled. */
  async transport(signal: AbortSignal): Promise<HttpTransport> {
    return (await this.#enter(signal)).http;
  }

  /** Without a slash in the end. Throws `provider-not-found` where the region, or the cloud, has no such service. */
  async endpoint(service: Service, signal: AbortSignal): Promise<string> {
    const { identity, token } = await this.#enter(signal);
    const types = serviceTypes[service];
    const keys = [service, ...types].map((type) => `${type.replaceAll("-", "_")}_endpoint_override`);
    const override = keys.map((key) => identity.overrides[key]).find((url) => url !== undefined);
    return (override ?? chosenEndpoint(token.catalog ?? [], service, identity)).replace(/\/+$/u, "");
  }

  async project(signal: AbortSignal): Promise<Token["project"]> {
    return (await this.#enter(signal)).token.project;
  }

  async roles(signal: AbortSignal): Promise<readonly string[]> {
    return ((await this.#enter(signal)).token.roles ?? []).map(({ name }) => name);
  }

  /** For sentences: where the credentials came from. */
  async place(signal: AbortSignal): Promise<string> {
    return (await this.#enter(signal)).identity.place;
  }

  async #enter(signal: AbortSignal): Promise<Entered> {
    const before = await this.#entered.now();
    if (before !== undefined && this.#endsSoon(before.token)) this.#entered.forget();
    return await this.#entered.get(async () => await this.#ask(signal));
  }

  #endsSoon({ expires_at: end }: Token): boolean {
    return Date.parse(end) - this.#context.clock.now().getTime() < renewBeforeMs;
  }

  async #ask(signal: AbortSignal): Promise<Entered> {
    const identity = await this.#identity.get(async () => await findIdentity(this.#context, this.#config, signal));
    const http = this.#context.http.trusting(identity.trust);
    const keystone = new HttpApi(
      { ...this.#context, http, secret: (value) => this.#context.secret(value) },
      {
        provider: "OpenStack",
        baseUrl: identity.authUrl,
        explain,
        failures,
        facts: { place: identity.place, authUrl: identity.authUrl },
      },
    );
    const answer = await keystone.answer({ method: "POST", path: "/auth/tokens", body: identity.request, safe: true }, signal);
    const value = answer.headers["x-subject-token"] ?? "";
    const token = tokenIn(answer.text);
    if (value === "" || token === undefined)
      throw new MachineError("provider-error", `What answers at ${identity.authUrl} gives no token`, {
        hint: "Correct --openstack-auth-url (OS_AUTH_URL): something else may answer there, such as a proxy or a dashboard.",
      });
    this.#context.secret(value);
    return { identity, http, value, token };
  }
}

function tokenIn(text: string): Token | undefined {
  try {
    return (JSON.parse(text) as { readonly token?: Token }).token;
  } catch {
    return undefined;
  }
}

/** Throws for a region that is not there, or that must be chosen. */
function chosenEndpoint(catalog: readonly CatalogEntry[], service: Service, { endpoints: kind, region }: Identity): string {
  const types = serviceTypes[service];
  const entries = types.flatMap((type) => catalog.filter((entry) => entry.type === type && entry.endpoints.length > 0));
  const all = entries.flatMap(({ endpoints }) => endpoints);
  const regions = [...new Set(all.map(regionOf))].toSorted();
  if (all.length === 0)
    throw new MachineError("provider-not-found", `The cloud's catalog has no ${service} service for the project`, {
      hint: "Check the project: without a role in one the catalog is empty.",
    });
  if (region !== "" && !regions.includes(region))
    throw new MachineError("provider-not-found", `The cloud has no ${service} service in the region ${JSON.stringify(region)}`, {
      hint: `Choose one of ${regions.join(", ")} with --openstack-region (OS_REGION_NAME).`,
    });
  if (region === "" && regions.length > 1)
    throw new MachineError("driver-options", "The cloud has several regions, and none is chosen", {
      hint: `Choose one of ${regions.join(", ")} with --openstack-region (OS_REGION_NAME).`,
    });
  const chosen = all.find((endpoint) => endpoint.interface === kind && (region === "" || regionOf(endpoint) === region));
  if (chosen !== undefined) return chosen.url;
  throw new MachineError("provider-not-found", `The cloud's ${service} service has no ${kind} endpoint`, {
    hint: "Choose publicURL, internalURL or adminURL with --openstack-endpoint-type (OS_INTERFACE).",
  });
}

function regionOf({ region, region_id: id }: Endpoint): string {
  return region ?? id ?? "";
}
