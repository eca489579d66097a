/**
 * vCenter's REST API, for what SOAP does not have: libraries and tags. From 7.0 U2 on it is below `/api`, before that, and in
 * simulators, below `/rest`, with other forms of the same requests.
 */
import type { HttpApiContext } from "../../../driver-kit/http-api.ts";
import { HttpApi, type ApiRequest } from "../../../driver-kit/http-api.ts";
import type { HttpAnswer } from "../../../driver-kit/http-transport.ts";
import { isNotFound, kindOfStatus, type Facts, type ProviderFailure } from "../../../driver-kit/provider-error.ts";

export type RestForm = "api" | "rest";

export interface RestRequest {
  readonly method: "GET" | "POST";
  /** In each form; a query may be part of it. */
  readonly path: Readonly<Record<RestForm, string>>;
  readonly body?: object | undefined;
  /** Member that holds the body in the older form. */
  readonly wrap?: string | undefined;
  readonly safe?: boolean | undefined;
  /** Bound on the answer; the transport's unless told. */
  readonly boundMs?: number | undefined;
}

export interface RestOptions {
  readonly baseUrl: string;
  readonly facts: Facts;
  credentials(signal: AbortSignal): Promise<{ readonly user: string; readonly password: string }>;
}

const sessions = { api: "/api/session", rest: "/rest/com/vmware/cis/session" } as const;

export class RestApi {
  readonly #api: HttpApi;
  readonly #options: RestOptions;
  readonly #secret: (value: string) => void;
  #session: { readonly form: RestForm; readonly id: string } | undefined;

  constructor(context: HttpApiContext, options: RestOptions) {
    this.#options = options;
    this.#secret = (value) => context.secret(value);
    const { baseUrl, facts } = options;
    this.#api = new HttpApi(context, { provider: "vSphere", baseUrl, explain, failures, facts });
  }

  /** The answer's value, alike in both forms. Throws `ProviderError`. */
  async send<Answer>({ path, wrap, body, ...request }: RestRequest, signal: AbortSignal): Promise<Answer> {
    const { form, id } = (this.#session ??= await this.#begin(signal));
    const headers = { "vmware-api-session-id": id };
    const sent = form === "rest" && wrap !== undefined ? { [wrap]: body } : body;
    const answer = await this.#api.send<unknown>({ ...request, body: sent, path: path[form], headers }, signal);
    return (form === "api" ? answer : (answer as { readonly value?: unknown } | undefined)?.value) as Answer;
  }

  /** Sessions are few on a server. Fails silently: it ends by itself. */
  async end(signal: AbortSignal): Promise<void> {
    if (this.#session === undefined) return;
    const { form, id } = this.#session;
    this.#session = undefined;
    const request: ApiRequest = { method: "DELETE", path: sessions[form], headers: { "vmware-api-session-id": id } };
    await this.#api.answer({ ...request, retry: { attempts: 1 } }, signal).catch(() => {});
  }

  async #begin(signal: AbortSignal): Promise<{ readonly form: RestForm; readonly id: string }> {
    const { user, password } = await this.#options.credentials(signal);
    const basic = Buffer.from(`${user}:${password}`).toString("base64");
    this.#secret(basic);
    const headers = { authorization: `Basic ${basic}` };
    const ask = async (form: RestForm): Promise<{ readonly form: RestForm; readonly id: string }> => {
      const answer = await this.#api.send<unknown>({ method: "POST", path: sessions[form], headers, safe: true }, signal);
      const id = String(form === "api" ? answer : (answer as { readonly value?: unknown }).value);
      this.#secret(id);
      return { form, id };
    };
    try {
      return await ask("api");
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return await ask("rest");
    }
  }
}

const failures = [
  {
    codes: ["401"],
    kind: "credentials",
    sentence: "{host} does not accept the user {user} or the password",
    hint: "Check them. A machine that exists takes another password by: docker-machine config set {machine} vmwarevsphere-password",
  },
  {
    codes: ["403"],
    kind: "permission",
    sentence: "The user {user} may not do this at {host}",
    hint: "Give the user a role with ContentLibrary and InventoryService.Tagging privileges.",
  },
] as const;

/** Its errors name their kind by a type, `com.vmware.vapi.std.errors.not_found` or `NOT_FOUND`; the status says as much. */
function explain({ status, text }: HttpAnswer): ProviderFailure {
  return { kind: kindOfStatus(status), code: status === 401 || status === 403 ? String(status) : "", message: messageIn(text) };
}

function messageIn(text: string): string {
  try {
    const { value, messages } = JSON.parse(text) as { value?: { messages?: Message[] }; messages?: Message[] };
    return (messages ?? value?.messages ?? []).map(({ default_message: words }) => words ?? "").join(" ");
  } catch {
    return text.startsWith("<") ? "" : text;
  }
}

interface Message {
  readonly default_message?: string;
}
