/**
 * How drivers ask their providers: the member `http` of what they are given. Proxies, roots, bounds and plain http are
 * decided behind it (`system/http-request.ts`), in the same way for every driver.
 */
import type { Agent } from "node:https";
import type { HttpTrust } from "../system/http-dial.ts";
import type { HttpAnswer, HttpRequest } from "../system/http-request.ts";

export type { HttpAnswer, HttpRequest, HttpTrust };

export interface HttpTransport {
  /**
   * Sends once and gives the answer, whatever its status; redirects are answers. Throws `provider-unreachable`,
   * `provider-untrusted` (both `HttpFailure`), `provider-error` for an answer that is too large, or the signal's reason.
   * `HttpApi` adds credentials, explanations and further attempts.
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  /** For SDKs that speak HTTP themselves, such as `NodeHttpHandler({ httpsAgent })`: honours proxies and trust; bounds are the SDK's. */
  agent(): Promise<Agent>;
  /** The same with another trust: roots of a private cloud, a pinned certificate, an endpoint that the user gave. */
  trusting(trust: HttpTrust): HttpTransport;
  /** SHA-256 fingerprint (hex) of the certificate that an https address shows, whoever signed it: to be pinned, or shown. */
  fingerprint(url: string, signal: AbortSignal): Promise<string>;
}
