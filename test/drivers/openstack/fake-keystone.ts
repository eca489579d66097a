/** Keystone of the fake: one user with one project, application credentials, tokens that end. */
import { randomBytes } from "node:crypto";
import { fieldsOf, refusedByKeystone, routed, textOf, type Answer, type Exchange, type Json, type Route } from "./answers.ts";
import { projectId, userId } from "./catalogue.ts";

export const account = {
  user: "alice",
  password: "correct-horse-battery",
  project: "web-team",
  domain: "Default",
  domainId: "default",
  credentialId: "5c0d9f1e2a3b4c5d6e7f8a9b0c1d2e3f",
  credentialName: "fleet",
  credentialSecret: "fleet-secret-7Gk2",
} as const;

const refused = refusedByKeystone(401, "Unauthorized", "The request you have made requires authentication.");
/** As Keystone writes times: microseconds and Z. */
const stamp = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

export class FakeKeystone {
  /** What of a token's life is left. */
  tokenSeconds = 3_600;
  roles: readonly string[] = ["member", "reader"];
  regions: readonly string[] = ["RegionOne"];
  /** Endpoints that the catalog has. */
  interfaces: readonly string[] = ["public", "internal", "admin"];
  /** The application credential does not exist. */
  credentialIsGone = false;
  /** How many tokens were given. */
  given = 0;
  /** Left out of the catalog. */
  missingService = "";
  readonly #tokens = new Map<string, number>();
  readonly #url: () => string;
  readonly #now: () => number;

  constructor(url: () => string, now: () => number) {
    this.#url = url;
    this.#now = now;
  }

  /** The refusal of a request without a token that counts; undefined where it does. */
  check(token: string | undefined): Answer | undefined {
    return (this.#tokens.get(token ?? "") ?? 0) > this.#now() ? undefined : refused;
  }

  /** As Keystone does when a password is changed. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  readonly #routes: readonly Route[] = [
    [/^POST \/auth\/tokens$/u, ({ body }) => this.#giveToken(fieldsOf(fieldsOf(body)["auth"]))],
  ];

  async answer(exchange: Exchange): Promise<Answer | undefined> {
    return await routed(this.#routes, exchange);
  }

  #giveToken({ identity: given, scope }: Json): Answer {
    const identity = fieldsOf(given);
    const [method] = identity["methods"] as readonly string[];
    const denied = this.#refusal(method ?? "", fieldsOf(identity[method ?? ""]), scope);
    if (denied !== undefined) return denied;
    const value = `gAAAAAB${randomBytes(60).toString("base64url")}`;
    const endMs = this.#now() + this.tokenSeconds * 1_000;
    this.#tokens.set(value, endMs);
    this.given += 1;
    const isScoped = scope !== undefined || method === "application_credential";
    const inProject = {
      project: { id: projectId, name: account.project, domain: { id: account.domainId, name: account.domain } },
      roles: this.roles.map((name, at) => ({ id: `role-${at}`, name })),
      catalog: this.#catalog(),
      is_domain: false,
    };
    const token = {
      methods: [method],
      user: { id: userId, name: account.user, domain: { id: account.domainId, name: account.domain }, password_expires_at: null },
      audit_ids: ["3T2dc1CGQxyJsHdDu1xkcw"],
      expires_at: stamp(endMs),
      issued_at: stamp(this.#now()),
      ...(isScoped ? inProject : {}),
    };
    return { status: 201, body: { token }, headers: { "x-subject-token": value } };
  }

  #refusal(method: string, given: Json, scope: unknown): Answer | undefined {
    if (method === "application_credential") return this.#credentialRefusal(given);
    const isKnown =
      method === "token"
        ? this.check(textOf(given["id"])) === undefined
        : isAlice(fieldsOf(given["user"])) && fieldsOf(given["user"])["password"] === account.password;
    if (!isKnown) return refused;
    if (scope === undefined) return undefined;
    const project = fieldsOf(fieldsOf(scope)["project"]);
    const isHers = project["id"] === projectId || (project["name"] === account.project && isDomain(project["domain"]));
    return isHers ? undefined : refused;
  }

  #credentialRefusal({ id, name, secret, user }: Json): Answer | undefined {
    const isNamed = id === account.credentialId || (name === account.credentialName && isAlice(fieldsOf(user)));
    if (!isNamed || this.credentialIsGone)
      return refusedByKeystone(404, "Not Found", `Could not find Application Credential: ${textOf(id) || textOf(name)}.`);
    return secret === account.credentialSecret ? undefined : refused;
  }

  #catalog(): readonly object[] {
    const url = this.#url();
    const services: readonly (readonly [type: string, service: string, path: string])[] = [
      ["identity", "keystone", "/identity"],
      ["compute", "nova", "/compute/v2.1"],
      ["network", "neutron", "/network"],
      ["image", "glance", "/image"],
      ["volumev3", "cinder", `/volume/v3/${projectId}`],
    ];
    return services
      .filter(([type]) => type !== this.missingService)
      .map(([type, service, path]) => ({
        id: `${service}-id`,
        type,
        name: service,
        endpoints: this.regions.flatMap((region) =>
          this.interfaces.map((kind) => ({
            id: `${service}-${region}-${kind}`,
            interface: kind,
            region,
            region_id: region,
            url: url + path,
          })),
        ),
      }));
  }
}

function isAlice({ id, name, domain }: Json): boolean {
  return id === userId || (name === account.user && isDomain(domain));
}

function isDomain(domain: unknown): boolean {
  const { id, name } = fieldsOf(domain);
  return id === account.domainId || name === account.domain;
}
