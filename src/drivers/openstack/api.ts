/**
 * OpenStack's services as the driver asks them: Nova, Neutron, Glance and Cinder at the addresses of the catalog, Nova by
 * the newest microversion that both sides know (https://docs.openstack.org/api-guide/compute/microversions.html).
 */
import type { DriverContext } from "../../driver-kit/driver.ts";
import { HttpApi, type ApiRequest } from "../../driver-kit/http-api.ts";
import { failureError, failureKindOf, isNotFound, type Facts, type ProviderFailure } from "../../driver-kit/provider-error.ts";
import type { MachineError } from "../../errors/machine-error.ts";
import { explain, failures } from "./failures.ts";
import { Kept } from "./kept.ts";
import type { OpenStackConfig } from "./options.ts";
import { Session, type Service } from "./session.ts";

/** The newest of Nova's 2.N that the driver was written for: types of volumes with the server (2.67). */
const newestCompute = 67;

export class OpenStackApi {
  readonly session: Session;
  readonly #context: DriverContext;
  readonly #config: OpenStackConfig;
  readonly #services = {
    compute: new Kept<HttpApi>(),
    network: new Kept<HttpApi>(),
    image: new Kept<HttpApi>(),
    volume: new Kept<HttpApi>(),
  };
  readonly #version = new Kept<number>();

  constructor(context: DriverContext, config: OpenStackConfig) {
    this.#context = context;
    this.#config = config;
    this.session = new Session(context, config);
  }

  async send<Answer>(service: Service, request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    return await (await this.#service(service, signal)).send<Answer>(await this.#versioned(service, request, signal), signal);
  }

  /** Undefined where it does not exist. */
  async find<Answer>(service: Service, path: string, signal: AbortSignal): Promise<Answer | undefined> {
    const request = await this.#versioned(service, { method: "GET", path }, signal);
    return await (await this.#service(service, signal)).find<Answer>(request, signal);
  }

  /** All of a list, page by page. @param member of the answer: `servers` */
  async list<Item extends { readonly id: string }>(
    service: Service,
    path: string,
    member: string,
    query: ApiRequest["query"],
    signal: AbortSignal,
  ): Promise<readonly Item[]> {
    const items: Item[] = [];
    for (let marker: string | undefined, more = true; more;) {
      const answer = await this.send<Page<Item>>(service, { method: "GET", path, query: { ...query, marker } }, signal);
      const page = (answer[member] ?? []) as readonly Item[];
      items.push(...page);
      const last = page.at(-1)?.id;
      more = hasNext(answer, member) && last !== undefined && last !== marker;
      marker = last;
    }
    return items;
  }

  /** False where it was gone already. */
  async delete(service: Service, path: string, signal: AbortSignal, retry?: ApiRequest["retry"]): Promise<boolean> {
    try {
      await this.send(service, { method: "DELETE", path, retry }, signal);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** N of Nova's 2.N. */
  async computeVersion(signal: AbortSignal): Promise<number> {
    return await this.#version.get(async () => await this.#askVersion(signal));
  }

  /** What a service told elsewhere than in a refusal: the fault of a server. */
  explain(failure: ProviderFailure): MachineError {
    return failureError("OpenStack", failure, failures, this.#facts);
  }

  get #facts(): Facts {
    const { FlavorName, FlavorId, ImageName, ImageId } = this.#config;
    return { flavor: FlavorName || FlavorId, image: ImageName || ImageId };
  }

  async #service(service: Service, signal: AbortSignal): Promise<HttpApi> {
    return await this.#services[service].get(async () => await this.#open(service, signal));
  }

  async #open(service: Service, signal: AbortSignal): Promise<HttpApi> {
    const url = await this.session.endpoint(service, signal);
    const context = this.#context;
    const parts = {
      http: await this.session.transport(signal),
      clock: context.clock,
      report: context.report,
      secret: (value: string) => context.secret(value),
    };
    return new HttpApi(parts, {
      provider: "OpenStack",
      baseUrl: baseOf(service, url),
      authorize: async (ended, refused) => await this.session.authorize(ended, refused),
      explain,
      failures,
      facts: { ...this.#facts, place: await this.session.place(signal) },
    });
  }

  async #versioned(service: Service, request: ApiRequest, signal: AbortSignal): Promise<ApiRequest> {
    if (service !== "compute") return request;
    const version = `2.${await this.computeVersion(signal)}`;
    const headers = { "openstack-api-version": `compute ${version}`, "x-openstack-nova-api-version": version };
    return { ...request, headers: { ...headers, ...request.headers } };
  }

  /** Clouds without microversions, and those that hide the document of versions, are asked as Nova was in the beginning. */
  async #askVersion(signal: AbortSignal): Promise<number> {
    const root = /^.*\/v2(?:\.1)?(?=\/|$)/u.exec(await this.session.endpoint("compute", signal))?.[0];
    if (root === undefined || root.endsWith("/v2")) return 1;
    try {
      const { version } = await (
        await this.#service("compute", signal)
      ).send<VersionDocument>({ method: "GET", path: `${root}/` }, signal);
      const newest = Number(/^2\.(\d+)$/u.exec(version?.version ?? "")?.[1] ?? 1);
      return Math.min(newest, newestCompute);
    } catch (error) {
      if (!["not-found", "permission"].includes(failureKindOf(error) ?? "")) throw error;
      return 1;
    }
  }
}

type Page<Item> = Readonly<Record<string, readonly Item[] | readonly Link[] | string | undefined>>;

interface Link {
  readonly rel: string;
  readonly href: string;
}

interface VersionDocument {
  readonly version?: { readonly version?: string | undefined; readonly min_version?: string | undefined } | undefined;
}

/** Glance has `next`, the others `servers_links` and its like. Their addresses may be those of a server behind a proxy. */
function hasNext(answer: Page<unknown>, member: string): boolean {
  const links = answer[`${member}_links`] as readonly Link[] | undefined;
  return typeof answer["next"] === "string" || (links ?? []).some(({ rel }) => rel === "next");
}

/** Catalogs have the addresses of Neutron and Glance without their version. */
function baseOf(service: Service, url: string): string {
  if (service === "network") return /\/v2(?:\.0)?$/u.test(url) ? url : `${url}/v2.0`;
  if (service === "image") return /\/v2$/u.test(url) ? url : `${url}/v2`;
  return url;
}
