/**
 * The client of Google's library for each kind of credentials. Made one by one: its own choice by the JSON's type warns on
 * standard error of what everybody does who has such a file.
 */
import type * as AuthLibrary from "google-auth-library";
import type { AuthClient } from "google-auth-library";

export type KeyFile = Readonly<Record<string, unknown>>;

const scopes = ["https://www.googleapis.com/auth/compute"];

type Make = (keys: KeyFile, library: typeof AuthLibrary) => AuthClient | undefined;

const makers: Readonly<Record<string, Make>> = {
  service_account: (keys, { JWT }) =>
    new JWT({ email: text(keys, "client_email"), key: text(keys, "private_key"), keyId: text(keys, "private_key_id"), scopes }),
  authorized_user: (keys, { UserRefreshClient }) =>
    new UserRefreshClient({
      clientId: text(keys, "client_id"),
      clientSecret: text(keys, "client_secret"),
      refreshToken: text(keys, "refresh_token"),
    }),
  external_account: (keys, library) => {
    const client = externalClient(keys, library);
    client.scopes = scopes;
    return client;
  },
  external_account_authorized_user: (keys, { ExternalAccountAuthorizedUserClient }) =>
    new ExternalAccountAuthorizedUserClient(keys as unknown as AuthLibrary.ExternalAccountAuthorizedUserClientOptions),
  impersonated_service_account: (keys, library) => {
    const source = keys["source_credentials"];
    const sourceClient = isKeyFile(source) ? tokenClient(source, library) : undefined;
    const targetPrincipal = /([^/]+):generateAccessToken$/u.exec(text(keys, "service_account_impersonation_url"))?.[1];
    if (sourceClient === undefined || targetPrincipal === undefined) return undefined;
    const delegates = Array.isArray(keys["delegates"]) ? keys["delegates"].map(String) : [];
    return new library.Impersonated({ sourceClient, targetPrincipal, delegates, targetScopes: scopes });
  },
};

/** Undefined for what is of no kind that is known. May throw for what is incomplete. */
export function tokenClient(keys: KeyFile, library: typeof AuthLibrary): AuthClient | undefined {
  return makers[text(keys, "type")]?.(keys, library);
}

/** Of the machine that the program runs on. */
export function metadataClient({ Compute }: typeof AuthLibrary): AuthClient {
  return new Compute({ scopes });
}

export function isKeyFile(value: unknown): value is KeyFile {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** By where the other cloud's identity comes from. */
function externalClient(
  keys: KeyFile,
  { AwsClient, IdentityPoolClient, PluggableAuthClient }: typeof AuthLibrary,
): AuthLibrary.BaseExternalAccountClient {
  const source = isKeyFile(keys["credential_source"]) ? keys["credential_source"] : {};
  if (typeof source["environment_id"] === "string") return new AwsClient(keys as unknown as AuthLibrary.AwsClientOptions);
  if (isKeyFile(source["executable"])) return new PluggableAuthClient(keys as unknown as AuthLibrary.PluggableAuthClientOptions);
  return new IdentityPoolClient(keys as unknown as AuthLibrary.IdentityPoolClientOptions);
}

function text(keys: KeyFile, field: string): string {
  const value = keys[field];
  return typeof value === "string" ? value : "";
}
