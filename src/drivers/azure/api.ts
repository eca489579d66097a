/**
 * Azure's resource manager: resources are put and deleted by identifier, and work that takes its time is an operation
 * which is asked for until it has ended (https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations).
 */
import type { DriverContext } from "../../driver-kit/driver.ts";
import { HttpApi, type ApiRequest } from "../../driver-kit/http-api.ts";
import type { HttpAnswer } from "../../driver-kit/http-transport.ts";
import { failureError, isNotFound, kindOfStatus, type Facts } from "../../driver-kit/provider-error.ts";
import type { MachineError } from "../../errors/machine-error.ts";
import { poll } from "../../system/waiting.ts";
import { explain, failureIn, failures } from "./failures.ts";
import type { AzureConfig } from "./options.ts";
import { managerUrl } from "./subscription.ts";
import { TokenSource } from "./token.ts";

/** What every resource has. */
export interface ArmResource {
  readonly id: string;
  readonly name: string;
  readonly type?: string | undefined;
  readonly location?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly sku?: { readonly name?: string | undefined } | undefined;
  readonly properties?: { readonly provisioningState?: string | undefined } | undefined;
}

export interface ArmRequest {
  /** An identifier, or what is below one. */
  readonly path: string;
  readonly version: string;
  readonly query?: ApiRequest["query"];
  readonly retry?: ApiRequest["retry"];
}

/** While Azure says nothing else. */
const operationPauseMs = 2_000;
/** A network interface stays reserved for three minutes after its machine could not be made. */
const deletionRetry = { attempts: 30, firstDelayMs: 5_000, longestDelayMs: 20_000 };

export class AzureApi {
  readonly #api: HttpApi;
  readonly #context: DriverContext;
  readonly #facts: () => Facts;

  constructor(context: DriverContext, config: AzureConfig) {
    const tokens = new TokenSource(context, config);
    this.#context = context;
    // The size is chosen after the first requests.
    this.#facts = () => ({ size: config.Size === "" ? undefined : config.Size, image: config.Image, location: config.Location });
    const facts = this.#facts;
    this.#api = new HttpApi(context, {
      provider: "Azure",
      baseUrl: managerUrl(config),
      authorize: async (signal, refused) => ({ authorization: `Bearer ${await tokens.token(signal, refused)}` }),
      explain,
      failures,
      get facts() {
        return facts();
      },
    });
  }

  async get<Answer>({ path, version, query }: ArmRequest, signal: AbortSignal): Promise<Answer> {
    return await this.#api.send<Answer>({ method: "GET", path, query: { "api-version": version, ...query } }, signal);
  }

  /** Undefined where it, or its group, does not exist. */
  async find<Answer = ArmResource>({ path, version, query }: ArmRequest, signal: AbortSignal): Promise<Answer | undefined> {
    return await this.#api.find<Answer>({ method: "GET", path, query: { "api-version": version, ...query } }, signal);
  }

  /** All items of a list, whatever its length. */
  async list<Item>({ path, version, query }: ArmRequest, signal: AbortSignal): Promise<readonly Item[]> {
    const request: ApiRequest = { method: "GET", path, query: { "api-version": version, ...query } };
    const reader = {
      items: (answer: unknown) => (answer as { value?: readonly Item[] }).value ?? [],
      next: (answer: unknown) => (answer as { nextLink?: string }).nextLink,
    };
    const items: Item[] = [];
    for await (const item of this.#api.pages<Item>(request, reader, signal)) items.push(item);
    return items;
  }

  /** Makes or changes a resource and waits until that is done. Throws the failure of the operation by its kind. */
  async put({ path, version }: ArmRequest, body: object, signal: AbortSignal): Promise<void> {
    await this.#carryOut({ method: "PUT", path, query: { "api-version": version }, body }, path, version, signal);
  }

  /** As {@link put}; fails with the kind "exists" where there is one. @param begun is given the resource while it is being made */
  async make(
    { path, version }: ArmRequest,
    body: object,
    begun: (resource: ArmResource) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const headers = { "if-none-match": "*" };
    await this.#carryOut({ method: "PUT", path, query: { "api-version": version }, body, headers }, path, version, signal, begun);
  }

  async patch({ path, version }: ArmRequest, body: object, signal: AbortSignal): Promise<void> {
    const request: ApiRequest = { method: "PATCH", path, query: { "api-version": version }, body, safe: true };
    await this.#carryOut(request, path, version, signal);
  }

  /** Waits until it is done. @param safe may be done twice with the effect of once */
  async post({ path, version, query }: ArmRequest, signal: AbortSignal, safe = true): Promise<void> {
    const answer = await this.#api.answer({ method: "POST", path, query: { "api-version": version, ...query }, safe }, signal);
    await this.#operation(answer, path, signal);
  }

  /** False where it was gone already. Waits until it is gone. */
  async delete({ path, version, query, retry = deletionRetry }: ArmRequest, signal: AbortSignal): Promise<boolean> {
    const request: ApiRequest = { method: "DELETE", path, query: { "api-version": version, ...query }, retry };
    try {
      const answer = await this.#api.answer(request, signal);
      await this.#operation(answer, path, signal);
      await this.#untilGone(path, version, signal);
      return answer.status !== 204;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Until nothing is at work on a resource any more; its last state. @param seen as it was found just now */
  async settled(
    { path, version }: ArmRequest,
    seen: ArmResource | undefined,
    signal: AbortSignal,
  ): Promise<ArmResource | undefined> {
    if (seen !== undefined && isSettled(seen.properties?.provisioningState)) return seen;
    let last: ArmResource | undefined;
    await this.#poll(path, signal, async () => {
      last = await this.find({ path, version }, signal);
      return isSettled(last?.properties?.provisioningState) ? true : undefined;
    });
    return last;
  }

  /** The request, its operation, and then the resource: the end of an operation is told before that of the resource at times. */
  async #carryOut(
    request: ApiRequest,
    path: string,
    version: string,
    signal: AbortSignal,
    begun?: (resource: ArmResource) => Promise<void>,
  ): Promise<void> {
    const answer = await this.#api.answer(request, signal);
    if (answer.text.trim() !== "") await begun?.(JSON.parse(answer.text) as ArmResource);
    await this.#operation(answer, path, signal);
    const state = stateIn(answer.text);
    if (hasOperation(answer) || isSettled(state)) return;
    const last = await this.settled({ path, version }, undefined, signal);
    if (last?.properties?.provisioningState === "Failed") throw this.#failed(path, last, undefined);
  }

  async #untilGone(path: string, version: string, signal: AbortSignal): Promise<void> {
    await this.#poll(path, signal, async () => ((await this.find({ path, version }, signal)) === undefined ? true : undefined));
  }

  /** Asks for the operation of an answer until it has ended. Throws what it failed with. */
  async #operation(answer: HttpAnswer, path: string, signal: AbortSignal): Promise<void> {
    const status = answer.headers["azure-asyncoperation"];
    const url = status ?? (answer.status === 202 ? answer.headers["location"] : undefined);
    if (url === undefined) return;
    await this.#pause(answer, signal);
    await this.#poll(path, signal, async () => {
      const told = await this.#api.answer({ method: "GET", path: url }, signal);
      const ended = status === undefined ? told.status !== 202 : this.#hasEnded(told, path);
      if (!ended) await this.#pause(told, signal);
      return ended ? true : undefined;
    });
  }

  #hasEnded({ text }: HttpAnswer, path: string): boolean {
    const body = JSON.parse(text) as { readonly status?: string };
    if (body.status === "Failed" || body.status === "Canceled") throw this.#failed(path, body, body.status);
    return body.status === "Succeeded";
  }

  #failed(path: string, body: object, status: string | undefined): MachineError {
    const found = failureIn(body) ?? { code: status ?? "Failed", message: `Azure could not carry it out (${nameIn(path)})` };
    const kind = status === "Canceled" ? "busy" : kindOfStatus(500);
    return failureError("Azure", { kind, ...found }, failures, this.#facts());
  }

  async #poll(path: string, signal: AbortSignal, ask: () => Promise<true | undefined>): Promise<void> {
    const { clock, operationMs } = this.#context;
    const pace = { firstMs: 250, mostMs: operationPauseMs, jitter: 0.2 };
    await poll({ ms: operationMs, clock, signal }, pace, ask, `Azure did not finish its work on ${nameIn(path)}`);
  }

  /** As long as Azure asks for. */
  async #pause({ headers }: HttpAnswer, signal: AbortSignal): Promise<void> {
    const { clock, operationMs } = this.#context;
    const seconds = Number(headers["retry-after"] ?? Number.NaN);
    if (seconds > 0) await clock.sleep(Math.min(seconds * 1_000, operationMs), signal);
  }
}

function hasOperation({ headers }: HttpAnswer): boolean {
  return headers["azure-asyncoperation"] !== undefined;
}

/** What has no state at all is not worked on. */
function isSettled(state: string | undefined): boolean {
  return state === undefined || ["Succeeded", "Failed", "Canceled"].includes(state);
}

function stateIn(text: string): string | undefined {
  return text.trim() === "" ? undefined : (JSON.parse(text) as ArmResource).properties?.provisioningState;
}

/** The end of an identifier, for sentences. */
function nameIn(path: string): string {
  return path.split("/").slice(-2).join(" ");
}
