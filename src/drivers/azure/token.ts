/**
 * Where the resource manager's tokens come from: the application that the flags or their variables name, else what
 * `@azure/identity` finds in its own order (https://learn.microsoft.com/azure/developer/javascript/sdk/authentication/credential-chains).
 * It is loaded with the first request.
 */
import type { TokenCredential } from "@azure/identity";
import { findCredential, type FoundCredential } from "../../driver-kit/credentials.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { failureError, type ProviderFailure } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { unlessAborted } from "../../system/waiting.ts";
import { cloudNamed, isKnownAuthority } from "./clouds.ts";
import { failures } from "./failures.ts";
import type { AzureConfig } from "./options.ts";
import { managerUrl } from "./subscription.ts";

interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** One is not used so shortly before its end. */
const leewayMs = 120_000;

const chain =
  "AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, the workload identity of a pod, the managed " +
  "identity of this computer, Visual Studio Code, az login, Azure PowerShell, azd auth login";

/** The token of one driver object, kept while it is good. */
export class TokenSource {
  readonly #context: DriverContext;
  readonly #config: AzureConfig;
  #found: FoundCredential<TokenCredential> | undefined;
  #token: Token | undefined;

  constructor(context: DriverContext, config: AzureConfig) {
    this.#context = context;
    this.#config = config;
  }

  /** Throws `provider-credentials`, or `provider-unreachable` where no answer came. @param refused what was given last will not do */
  async token(signal: AbortSignal, refused: boolean): Promise<string> {
    if (refused && this.#found !== undefined) throw refusedToken(this.#found.place);
    this.#found ??= await this.#find(signal);
    if (!this.#isGood()) this.#token = await this.#ask(this.#found.credential, signal);
    if (this.#token === undefined) throw refusedToken(this.#found.place);
    return this.#token.value;
  }

  #isGood(): boolean {
    const nowMs = this.#context.clock.now().getTime();
    return this.#token !== undefined && this.#token.expiresAtMs - leewayMs > nowMs;
  }

  async #find(signal: AbortSignal): Promise<FoundCredential<TokenCredential>> {
    const places = [
      { name: "--azure-client-id with --azure-client-secret", storable: true, look: async () => await this.#application(signal) },
      { name: chain, storable: false, look: async () => await this.#chained(signal) },
    ];
    const wayOut = "Run az login, or give --azure-client-id and --azure-client-secret of a service principal.";
    return await findCredential({ provider: "Azure", places, wayOut }, signal);
  }

  async #application(signal: AbortSignal): Promise<TokenCredential | undefined> {
    const secret = await this.#context.reveal(this.#config.ClientSecret);
    if (this.#config.ClientID === "" || secret === "") return undefined;
    this.#context.secret(secret);
    const tenant = this.#config.TenantID === "" ? await tenantOf(this.#context, this.#config, signal) : this.#config.TenantID;
    const { ClientSecretCredential } = await import("@azure/identity");
    return new ClientSecretCredential(tenant, this.#config.ClientID, secret, this.#options());
  }

  /** What is found is tried at once: only then is it known whether there is anything. */
  async #chained(signal: AbortSignal): Promise<TokenCredential | undefined> {
    const { DefaultAzureCredential } = await import("@azure/identity");
    const { ClientID, TenantID } = this.#config;
    const credential = new DefaultAzureCredential({
      ...this.#options(),
      ...(ClientID === "" ? {} : { managedIdentityClientId: ClientID }),
      ...(TenantID === "" ? {} : { tenantId: TenantID }),
    });
    this.#token = await this.#ask(credential, signal);
    return this.#token === undefined ? undefined : credential;
  }

  /** An authority of one's own (Azure Stack, a private cloud) is not among those that Microsoft's public one would vouch for. */
  #options(): { authorityHost: string; disableInstanceDiscovery: boolean } {
    const { authority } = cloudNamed(this.#config.Environment);
    const chosen = this.#context.computer.env["AZURE_AUTHORITY_HOST"] ?? "";
    const authorityHost = chosen === "" ? authority : chosen;
    return { authorityHost, disableInstanceDiscovery: !isKnownAuthority(authorityHost) };
  }

  /** Undefined where there are no credentials to ask with. */
  async #ask(credential: TokenCredential, signal: AbortSignal): Promise<Token | undefined> {
    const scope = `${cloudNamed(this.#config.Environment).manager}/.default`;
    try {
      const answer = await unlessAborted(credential.getToken(scope, { abortSignal: signal }), signal);
      if (answer === null) return undefined;
      this.#context.secret(answer.token);
      return { value: answer.token, expiresAtMs: answer.expiresOnTimestamp };
    } catch (error) {
      signal.throwIfAborted();
      if (isNothingThere(error)) return undefined;
      throw failureError("Azure", failureOf(error), failures, {}, undefined);
    }
  }
}

interface IdentityError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly errors?: readonly unknown[];
  readonly errorResponse?: { readonly error?: string; readonly errorDescription?: string };
}

/** Whether no place of a chain had anything. What was there and did not do is another matter. */
function isNothingThere(error: unknown): boolean {
  const { name, errors } = error as IdentityError;
  if (name === "CredentialUnavailableError") return true;
  const isChain = name === "AggregateAuthenticationError" || name === "ChainedTokenCredentialError";
  return isChain && (errors ?? []).every((each) => (each as IdentityError).name === "CredentialUnavailableError");
}

const networkCodes = new Set(["ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "REQUEST_SEND_ERROR"]);

/** Its messages hold no secret: ids of tenants and applications, and what Entra answered. */
function failureOf(error: unknown): ProviderFailure {
  const { message = "", code = "", errors, errorResponse } = error as IdentityError;
  const meant = (errors ?? []).find((each) => (each as IdentityError).name !== "CredentialUnavailableError");
  if (meant !== undefined) return failureOf(meant);
  const text = errorResponse?.errorDescription ?? message;
  const [entra = ""] = /AADSTS\d+/u.exec(text) ?? [];
  if (
    entra === "" &&
    (networkCodes.has(code) || /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|network_error|endpoints_resolution/u.test(text))
  )
    return { kind: "network", code, message: text };
  const [sentence = ""] = text.split(/\r?\n| Trace ID:/u);
  return { kind: "credentials", code: entra, message: sentence };
}

function refusedToken(place: string): MachineError {
  return new MachineError("provider-credentials", `Azure does not accept the token that was had from ${place}`, {
    hint: "It is of another tenant or cloud, or was revoked: check --azure-tenant-id and --azure-environment, or run az login.",
  });
}

/** The tenant that a subscription is in: who asks for it without a token is told where to get one, as 0.16.2 did it. */
async function tenantOf(context: DriverContext, config: AzureConfig, signal: AbortSignal): Promise<string> {
  const url = `${managerUrl(config)}/subscriptions/${encodeURIComponent(config.SubscriptionID)}?api-version=2022-12-01`;
  const { headers } = await context.http.send({ method: "GET", url }, signal);
  const tenant = /authorization(?:_uri)?="?https:\/\/[^/"]+\/([^/",\s]+)/u.exec(headers["www-authenticate"] ?? "")?.[1];
  if (tenant !== undefined) return tenant;
  throw new MachineError("provider-account", `Azure does not tell in which tenant the subscription ${config.SubscriptionID} is`, {
    hint: "Check --azure-subscription-id, or give --azure-tenant-id.",
  });
}
