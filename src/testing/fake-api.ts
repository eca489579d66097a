/** How a fake provider is spoken to: requests, their answers, and who gives these. */
import type { IncomingMessage } from "node:http";
import type { FakeResources } from "./fake-resources.ts";

export interface FakeRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface FakeAnswer {
  readonly status: number;
  /** Sent as JSON; a string as it is; nothing where it is absent. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What an API knows of its provider. */
export interface FakeAccount {
  readonly url: string;
  readonly resources: FakeResources;
  /** Tokens that are accepted; undefined = any will do. */
  readonly token: string | undefined;
}

/** How a provider is spoken to. */
export interface FakeApi {
  /** Carries a request out. */
  answer(request: FakeRequest, provider: FakeAccount): FakeAnswer | Promise<FakeAnswer>;
  /** An error as this provider words it. */
  refuse(status: number, code: string, message: string): FakeAnswer;
}
