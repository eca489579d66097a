/**
 * Compute Engine's API v1: what the driver asks, and the parts of the answers that it reads, named as the vendor's
 * discovery document names them (https://compute.googleapis.com/$discovery/rest?version=v1).
 */
import { randomUUID } from "node:crypto";
import type { FoundCredential } from "../../driver-kit/credentials.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { HttpApi, type ApiRequest } from "../../driver-kit/http-api.ts";
import { failureError, type Facts } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { poll, type Pace } from "../../system/waiting.ts";
import { findTokens, type TokenSource } from "./credentials.ts";
import { explain, failures } from "./failures.ts";
import type { GoogleConfig } from "./options.ts";

export interface Instance {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly networkInterfaces?: readonly NetworkInterface[] | undefined;
  readonly metadata?: Metadata | undefined;
  readonly tags?: { readonly items?: readonly string[] | undefined; readonly fingerprint?: string | undefined } | undefined;
}

interface NetworkInterface {
  readonly networkIP?: string | undefined;
  readonly accessConfigs?: readonly { readonly natIP?: string | undefined }[] | undefined;
}

export interface Metadata {
  readonly fingerprint?: string | undefined;
  readonly items?: readonly MetadataItem[] | undefined;
}

export interface MetadataItem {
  readonly key: string;
  readonly value: string;
}

interface Operation {
  readonly name: string;
  readonly status: "PENDING" | "RUNNING" | "DONE";
  readonly error?: { readonly errors?: readonly { readonly code?: string; readonly message?: string }[] } | undefined;
}

/** Google holds a request that waits for an operation up to two minutes. */
const heldMs = 150_000;
/** Between two such requests, for servers that hold none. */
const operationPace: Pace = { firstMs: 1_000, mostMs: 5_000, jitter: 0.2 };

export class ComputeApi {
  readonly #api: HttpApi;
  readonly #context: DriverContext;
  readonly #config: GoogleConfig;
  /** Found with the first request. */
  #found: FoundCredential<TokenSource> | undefined;

  constructor(context: DriverContext, config: GoogleConfig) {
    this.#context = context;
    this.#config = config;
    this.#api = new HttpApi(context, {
      provider: "Google",
      baseUrl: config.Endpoint,
      authorize: async (signal, refused) => {
        const { credential, place } = await this.credentials(signal);
        if (refused) throw notAccepted(place);
        return { authorization: `Bearer ${await credential.token(signal)}` };
      },
      explain,
      failures,
    });
  }

  async credentials(signal: AbortSignal): Promise<FoundCredential<TokenSource>> {
    this.#found ??= await findTokens(this.#context, this.#config.Auth, signal);
    return this.#found;
  }

  /** Undefined where it does not exist. @param path behind the project: `/zones/us-central1-a` */
  async find<Answer>(path: string, signal: AbortSignal, query?: ApiRequest["query"]): Promise<Answer | undefined> {
    return await this.#api.find<Answer>(await this.#request({ method: "GET", path: this.#own(path), query }, signal), signal);
  }

  /** The same in another's project: `/projects/debian-cloud/global/images/family/debian-13`. */
  async findAnywhere<Answer>(path: string, signal: AbortSignal): Promise<Answer | undefined> {
    return await this.#api.find<Answer>(await this.#request({ method: "GET", path }, signal), signal);
  }

  async send<Answer>(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    return await this.#api.send<Answer>(await this.#request({ ...request, path: this.#own(request.path) }, signal), signal);
  }

  /**
   * Has something done and waits for its end. Throws by the kind of what failed, at once or later, and `timeout`.
   * @param requestId by which Google knows the request again; one of this call alone unless given
   */
  async operate(
    request: Pick<ApiRequest, "method" | "path" | "body" | "query" | "retry">,
    signal: AbortSignal,
    requestId: string = randomUUID(),
  ): Promise<void> {
    const query = { ...request.query, requestId };
    // The id makes each of them safe to be sent again.
    const operation = await this.send<Operation>({ ...request, query, safe: true }, signal);
    await this.#finish(operation, request.path, signal);
  }

  async #finish(begun: Operation, path: string, signal: AbortSignal): Promise<void> {
    const { clock, machineName, operationMs } = this.#context;
    const place = /^\/(?:zones|regions)\/[^/]+|^\/global/u.exec(path)?.[0] ?? "";
    const ms = this.#config.OperationBound === 0 ? operationMs : this.#config.OperationBound * 1_000;
    const wait = { method: "POST", path: `${place}/operations/${begun.name}/wait`, safe: true, boundMs: heldMs } as const;
    let latest = begun;
    const ask = async (): Promise<Operation | undefined> => {
      if (latest.status !== "DONE") latest = await this.send<Operation>(wait, signal);
      return latest.status === "DONE" ? latest : undefined;
    };
    const done = await poll(
      { ms, clock, signal },
      operationPace,
      ask,
      `Google did not finish what was asked of "${machineName}"`,
    );
    const failure = done.error?.errors?.[0];
    if (failure === undefined) return;
    const { code = "", message = "" } = failure;
    throw failureError("Google", { kind: "invalid", code, message }, failures, this.#facts());
  }

  /** What requests are billed to is told with each. */
  async #request(request: ApiRequest, signal: AbortSignal): Promise<ApiRequest> {
    const { quotaProject } = (await this.credentials(signal)).credential;
    const headers = quotaProject === undefined ? {} : { "x-goog-user-project": quotaProject };
    return { ...request, headers, facts: this.#facts() };
  }

  #own(path: string): string {
    return `/projects/${this.#config.Project}${path}`;
  }

  #facts(): Facts {
    const { Project, Zone, MachineType } = this.#config;
    return { project: Project, zone: Zone, type: MachineType };
  }
}

function notAccepted(place: string): MachineError {
  return new MachineError("provider-credentials", `Google does not accept the credentials of ${place}`, {
    hint: "Run gcloud auth application-default login, or give others by GOOGLE_APPLICATION_CREDENTIALS.",
  });
}
