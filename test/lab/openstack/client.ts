/** What a lane asks a real OpenStack itself, past the driver: a user's token and the services of its catalog. */

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly project: string;
}

export type CloudService = "compute" | "identity" | "network" | "volumev3";

interface CatalogEntry {
  readonly type: string;
  readonly endpoints: readonly { readonly interface: string; readonly url: string }[];
}

interface Token {
  readonly catalog: readonly CatalogEntry[];
  readonly user: { readonly id: string };
}

export class CloudClient {
  readonly userId: string;
  readonly #value: string;
  readonly #catalog: readonly CatalogEntry[];

  private constructor(value: string, { catalog, user }: Token) {
    this.userId = user.id;
    this.#value = value;
    this.#catalog = catalog;
  }

  static async logIn(authUrl: string, { user, password, project }: Login): Promise<CloudClient> {
    const domain = { id: "default" };
    const identity = { methods: ["password"], password: { user: { name: user, domain, password } } };
    const auth = { identity, scope: { project: { name: project, domain } } };
    const answer = await fetch(`${authUrl}/v3/auth/tokens`, { method: "POST", body: JSON.stringify({ auth }), headers: json });
    const { token } = (await contentOf(answer)) as { readonly token: Token };
    return new CloudClient(answer.headers.get("x-subject-token") ?? "", token);
  }

  /** @param request as `POST /servers` @returns what its answer holds under `member` */
  async ask<T>(service: CloudService, request: string, member: string, body?: object): Promise<T> {
    const [method = "", path = ""] = request.split(" ");
    const entry = this.#catalog.find(({ type }) => type === service);
    const base = entry?.endpoints.find((endpoint) => endpoint.interface === "public")?.url ?? "";
    // Keystone and Neutron tell no version in their addresses.
    const version = { identity: "/v3", network: "/v2.0", compute: "", volumev3: "" }[service];
    const answer = await fetch(`${base.replace(/\/(?:v3\/)?$/u, "")}${version}${path}`, {
      method,
      headers: { ...json, "x-auth-token": this.#value },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return ((await contentOf(answer)) as Readonly<Record<string, T>>)[member] as T;
  }
}

const json = { "content-type": "application/json" };

async function contentOf(answer: Response): Promise<unknown> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${text}`);
  return text === "" ? {} : JSON.parse(text);
}
