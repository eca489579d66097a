/** Entra in this process: it makes tokens for one application of one tenant, as OpenID Connect and OAuth 2.0 have it. */
import type { FakeAnswer, FakeRequest } from "../../../src/testing/fake-api.ts";
import { tenantId } from "./catalogue.ts";

export const application = {
  id: "99999999-8888-4777-8666-555555555555",
  secret: "s3cr3t~of.the-application",
  expired: "s3cr3t~of.last-year",
} as const;

const scope = "https://management.azure.com/.default";

/** Undefined for what is no question for a token. */
export function answerForTokens({ method, path, text }: FakeRequest, url: string, token: string): FakeAnswer | undefined {
  const authority = `${url}/${tenantId}`;
  if (method === "GET" && path === `/${tenantId}/v2.0/.well-known/openid-configuration`) {
    const endpoint = (name: string): string => `${authority}/oauth2/v2.0/${name}`;
    return {
      status: 200,
      body: {
        issuer: `${authority}/v2.0`,
        authorization_endpoint: endpoint("authorize"),
        token_endpoint: endpoint("token"),
        jwks_uri: `${authority}/discovery/v2.0/keys`,
      },
    };
  }
  if (method !== "POST" || path !== `/${tenantId}/oauth2/v2.0/token`) return undefined;
  const form = new URLSearchParams(text);
  if (form.get("client_id") !== application.id)
    return refused("unauthorized_client", 700016, "Application was not found in the directory");
  if (form.get("client_secret") === application.expired)
    return refused("invalid_client", 7000222, "The provided client secret keys are expired");
  if (form.get("client_secret") !== application.secret)
    return refused("invalid_client", 7000215, "Invalid client secret provided");
  const isMeant = form.get("grant_type") === "client_credentials" && (form.get("scope") ?? "").split(" ").includes(scope);
  if (!isMeant) return refused("invalid_scope", 70011, "The provided value for scope is not valid");
  return { status: 200, body: { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599, access_token: token } };
}

function refused(error: string, code: number, words: string): FakeAnswer {
  const error_description = `AADSTS${code}: ${words}. Trace ID: 0 Correlation ID: 0 Timestamp: 2026-10-01 12:00:00Z`;
  return { status: 401, body: { error, error_description, error_codes: [code] } };
}
