/** The HTTP client of drivers, loaded by the first request: commands that ask no provider do not pay for it. */
import type { HttpAnswer, HttpRequest, HttpTransport, HttpTrust } from "../driver-kit/http-transport.ts";
import type { HttpClient, HttpClientOptions } from "../system/http-request.ts";

export class LazyHttp implements HttpTransport {
  readonly #options: HttpClientOptions;
  #loading: Promise<HttpClient> | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    return await (await this.#client()).send(request, signal);
  }

  async agent(): ReturnType<HttpTransport["agent"]> {
    return await (await this.#client()).agent();
  }

  trusting(trust: HttpTrust): HttpTransport {
    return new LazyHttp({ ...this.#options, trust });
  }

  async fingerprint(url: string, signal: AbortSignal): Promise<string> {
    return await (await this.#client()).fingerprint(url, signal);
  }

  async #client(): Promise<HttpClient> {
    this.#loading ??= import("../system/http-request.ts").then(({ HttpClient }) => new HttpClient(this.#options));
    return await this.#loading;
  }
}
