/**
 * Where access tokens come from: the flag, then Google's own order (GOOGLE_APPLICATION_CREDENTIALS, what `gcloud auth
 * application-default login` has stored, the metadata server). Google's library makes the tokens, of keys, of users, of
 * other clouds' identities alike; it is loaded with the first request.
 */
import * as path from "node:path";
import { findCredential, type CredentialPlace, type FoundCredential } from "../../driver-kit/credentials.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { failureError } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import { readFileIfExists } from "../../system/files.ts";
import { withoutWarnings } from "../../system/quiet-warnings.ts";
import { unlessAborted } from "../../system/waiting.ts";
import { isKeyFile, metadataClient, tokenClient, type KeyFile } from "./token-clients.ts";

export interface TokenSource {
  /** Of the credentials, where they tell one. */
  readonly project: string | undefined;
  /** What requests are billed to, where that is not the project they are about. */
  readonly quotaProject: string | undefined;
  /** A token that is good now; kept until shortly before its end. Throws `provider-credentials`, `provider-unreachable`. */
  token(signal: AbortSignal): Promise<string>;
}

const wayOut =
  "Run gcloud auth application-default login, name a file by GOOGLE_APPLICATION_CREDENTIALS, or give --google-auth-encoded-json.";

/** @param recorded the record's field, perhaps with a mark in the secret's place */
export async function findTokens(
  context: DriverContext,
  recorded: string,
  signal: AbortSignal,
): Promise<FoundCredential<TokenSource>> {
  const { env } = context.computer;
  const named = env["GOOGLE_APPLICATION_CREDENTIALS"] ?? "";
  const stored = gcloudFile(context.computer);
  const places: CredentialPlace<TokenSource>[] = [
    {
      name: "--google-auth-encoded-json",
      storable: true,
      look: async () => await fromText(context, await context.reveal(recorded)),
    },
    {
      name: "GOOGLE_APPLICATION_CREDENTIALS",
      storable: false,
      look: async () => (named === "" ? undefined : await fromFile(context, named, true)),
    },
    ...(stored === undefined
      ? []
      : [{ name: stored, storable: false, look: async () => await fromFile(context, stored, false) }]),
    { name: "the metadata server of Google's clouds", storable: false, look: async () => await fromMetadata(context, signal) },
  ];
  return await findCredential({ provider: "Google", places, wayOut }, signal);
}

async function fromText(context: DriverContext, text: string): Promise<TokenSource | undefined> {
  const given = text.trim();
  if (given === "") return undefined;
  context.secret(given);
  return await fromKeys(
    context,
    given.startsWith("{") ? given : Buffer.from(given, "base64").toString("utf8"),
    "the JSON of --google-auth-encoded-json",
  );
}

async function fromFile(context: DriverContext, file: string, isMeant: boolean): Promise<TokenSource | undefined> {
  const bytes = await readFileIfExists(path.resolve(context.computer.cwd, file));
  if (bytes !== undefined) return await fromKeys(context, bytes.toString("utf8"), file);
  if (!isMeant) return undefined;
  throw new MachineError("provider-credentials", `The file ${file}, which GOOGLE_APPLICATION_CREDENTIALS names, does not exist`, {
    hint: "Correct the variable or unset it; gcloud auth application-default login stores credentials without it.",
  });
}

const secretFields = ["private_key", "refresh_token", "client_secret"] as const;

async function fromKeys(context: DriverContext, text: string, what: string): Promise<TokenSource> {
  const keys = parse(text, what);
  for (const field of secretFields) if (typeof keys[field] === "string") context.secret(keys[field]);
  const client = clientOf(keys, await import("google-auth-library"));
  if (client === undefined) throw useless(what);
  return source(keys, async () => (await client.getAccessToken()).token, context);
}

function clientOf(...given: Parameters<typeof tokenClient>): ReturnType<typeof tokenClient> {
  try {
    return tokenClient(...given);
  } catch {
    // What is missing in it; the library's words may quote what is there.
    return undefined;
  }
}

/** Whoever quotes the text of a parser's error may quote a key. */
function parse(text: string, what: string): KeyFile {
  try {
    const value: unknown = JSON.parse(text);
    if (isKeyFile(value)) return value;
  } catch {
    // Said below.
  }
  throw useless(what);
}

function useless(what: string): MachineError {
  return new MachineError(
    "provider-credentials",
    `${what.slice(0, 1).toUpperCase()}${what.slice(1)} holds no credentials of Google`,
    {
      hint: `It must be the JSON of a key, of a user or of an external account, with its "type". ${wayOut}`,
    },
  );
}

async function fromMetadata(context: DriverContext, signal: AbortSignal): Promise<TokenSource | undefined> {
  const library = await import("google-auth-library");
  const { gcpMetadata } = library;
  // It warns by itself where there is no network at all; what that comes to is said by us.
  const looking = withoutWarnings(
    (_warning, ...kind) => kind.some((each) => String(each) === "MetadataLookupWarning"),
    async () => await gcpMetadata.isAvailable(),
  );
  if (!(await unlessAborted(looking, signal))) return undefined;
  const client = metadataClient(library);
  const project = await unlessAborted(gcpMetadata.project<unknown>("project-id"), signal).catch(() => undefined);
  return source({ project_id: project }, async () => (await client.getAccessToken()).token, context);
}

function source(keys: KeyFile, ask: () => Promise<string | null | undefined>, context: DriverContext): TokenSource {
  const text = (field: string): string | undefined => (typeof keys[field] === "string" ? keys[field] : undefined);
  return {
    project: text("project_id") ?? text("quota_project_id"),
    quotaProject: context.computer.env["GOOGLE_CLOUD_QUOTA_PROJECT"] ?? text("quota_project_id"),
    token: async (signal) => {
      const token = await unlessAborted(ask(), signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw refused(error);
      });
      if (token === null || token === undefined || token === "") throw refused(new Error("it gives no token"));
      context.secret(token);
      return token;
    },
  };
}

/** The library's errors hold the request with what is secret in it: they are no cause of ours. */
function refused(error: unknown): MachineError {
  const { status, message, code } = error as { status?: number; message?: string; code?: unknown };
  const words = message ?? "";
  const answered = status !== undefined || /invalid_|unauthorized|PEM|DECODER|key/iu.test(words);
  const kind = answered && (status ?? 400) < 500 ? "credentials" : "network";
  const hint =
    kind === "credentials"
      ? `They may be expired or revoked. ${wayOut}`
      : "Check the network and the proxy settings, then try again.";
  return failureError("Google", { kind, code: typeof code === "string" ? code : "", message: words }, [
    {
      message: /[\s\S]*/u,
      kind,
      sentence:
        kind === "credentials" ? "Google gives no token for the credentials" : "Google did not answer when asked for a token",
      hint,
    },
  ]);
}

/** As gcloud chooses it. */
function gcloudFile({ os, env, homeDir }: Computer): string | undefined {
  const name = "application_default_credentials.json";
  const chosen = env["CLOUDSDK_CONFIG"] ?? "";
  if (chosen !== "") return path.join(chosen, name);
  if (os === "windows") return env["APPDATA"] === undefined ? undefined : path.join(env["APPDATA"], "gcloud", name);
  return homeDir === undefined ? undefined : path.join(homeDir, ".config", "gcloud", name);
}
