/**
 * Who asks, and of which cloud: what flags and variables gave, with the entry of clouds.yaml beneath; and how Keystone is
 * told (https://docs.openstack.org/api-ref/identity/v3/, "Authentication and token management").
 */
import * as path from "node:path";
import { findCredential, type CredentialPlace } from "../../driver-kit/credentials.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import type { HttpTrust } from "../../driver-kit/http-transport.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { readFileIfExists } from "../../system/files.ts";
import { cloudFiles, findCloud, type CloudEntry } from "./cloud-file.ts";
import type { OpenStackConfig } from "./options.ts";

export interface Identity {
  /** Ends in /v3. */
  readonly authUrl: string;
  /** The body that Keystone gives a token for. */
  readonly request: object;
  /** Where the secret came from, for sentences. */
  readonly place: string;
  readonly region: string;
  readonly endpoints: "public" | "internal" | "admin";
  /** Addresses that clouds.yaml gives in place of the catalog's, by their keys there: `compute_endpoint_override`. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly trust: HttpTrust;
}

/** By the names of clouds.yaml. */
const settingNames = [
  ...["auth_url", "user_id", "username", "password", "token", "user_domain_id", "user_domain_name"],
  ...["project_id", "project_name", "project_domain_id", "project_domain_name", "domain_id", "domain_name"],
  ...["application_credential_id", "application_credential_name", "application_credential_secret"],
] as const;

type Settings = Partial<Readonly<Record<(typeof settingNames)[number], string>>>;

const methods: Readonly<Record<string, Method>> = {
  ...{ password: "password", v3password: "password" },
  ...{ token: "token", v3token: "token" },
  v3applicationcredential: "application_credential",
};

type Method = "password" | "token" | "application_credential";

/** Throws `provider-credentials` with the places looked at, `driver-options` for what is missing beside a secret. */
export async function findIdentity(context: DriverContext, config: OpenStackConfig, signal: AbortSignal): Promise<Identity> {
  const { env } = context.computer;
  const found = config.Cloud === "" ? undefined : await findCloud(config.Cloud, context.computer);
  const entry = found?.entry ?? {};
  const wanted = methodNamed(textIn(entry, "auth_type") ?? env["OS_AUTH_TYPE"]);
  const ofCloud = settingsOfCloud(entry);
  const settings: Settings = { ...ofCloud, ...settingsOfRecord(config) };
  const { credential, place } = await findSecret(context, config, { settings, ofCloud, file: found?.file, wanted }, signal);
  context.secret(credential.secret);
  const authUrl = settings.auth_url;
  if (authUrl === undefined) throw missing(context, "Authentication URL", "OS_AUTH_URL", "auth-url");
  const kind = (config.EndpointType || textIn(entry, "interface") || textIn(entry, "endpoint_type") || "public").replace(
    /URL$/u,
    "",
  );
  return {
    authUrl: versionThree(authUrl),
    request: { auth: { identity: identityOf(context, settings, credential), ...scopeOf(settings, credential) } },
    place,
    region: config.Region || (textIn(entry, "region_name") ?? ""),
    endpoints: kind === "internal" || kind === "admin" ? kind : "public",
    overrides: overridesIn(entry),
    trust: await trustOf(context, config, entry, authUrl),
  };
}

function textIn(entry: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = entry[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function methodNamed(name: string | undefined): Method | undefined {
  if (name === undefined || name === "") return undefined;
  const method = methods[name];
  if (method !== undefined) return method;
  throw new MachineError("provider-unsupported", `docker-machine cannot authenticate to OpenStack by ${JSON.stringify(name)}`, {
    hint: "Make an application credential (openstack application credential create) and use that: v3applicationcredential.",
  });
}

function settingsOfCloud(entry: CloudEntry): Settings {
  const auth = entry.auth ?? {};
  const aliases = { project_id: textIn(auth, "tenant_id"), project_name: textIn(auth, "tenant_name") };
  return nonEmpty({
    domain_id: textIn(auth, "default_domain"),
    ...nonEmpty(aliases),
    ...Object.fromEntries(settingNames.flatMap((name) => (textIn(auth, name) === undefined ? [] : [[name, textIn(auth, name)]]))),
  });
}

/** Without the secrets, which are asked for one by one. */
function settingsOfRecord(config: OpenStackConfig): Settings {
  return nonEmpty({
    auth_url: config.AuthUrl,
    user_id: config.UserId,
    username: config.Username,
    user_domain_id: config.UserDomainId,
    user_domain_name: config.UserDomainName,
    project_id: config.TenantId,
    project_name: config.TenantName,
    project_domain_id: config.TenantDomainId,
    project_domain_name: config.TenantDomainName,
    domain_id: config.DomainID,
    domain_name: config.DomainName,
    application_credential_id: config.ApplicationCredentialId,
    application_credential_name: config.ApplicationCredentialName,
  });
}

function nonEmpty(settings: Readonly<Record<string, string | undefined>>): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined && value !== ""));
}

interface Secret {
  readonly method: Method;
  readonly secret: string;
}

interface Given {
  readonly settings: Settings;
  readonly ofCloud: Settings;
  /** The clouds.yaml that holds the named cloud. */
  readonly file: string | undefined;
  /** By `auth_type`; undefined: whichever there is. */
  readonly wanted: Method | undefined;
}

async function findSecret(
  context: DriverContext,
  config: OpenStackConfig,
  given: Given,
  signal: AbortSignal,
): Promise<{ readonly credential: Secret; readonly place: string }> {
  const { computer } = context;
  const usable = (method: Method, secret: string | undefined): Secret | undefined =>
    (given.wanted ?? method) !== method || secret === undefined || secret === "" ? undefined : { method, secret };
  const { application_credential_secret: ofCredential, password, token } = given.ofCloud;
  const places: readonly CredentialPlace<Secret>[] = [
    {
      name: "--openstack-application-credential-secret, OS_APPLICATION_CREDENTIAL_SECRET",
      storable: true,
      look: async () => usable("application_credential", await context.reveal(config.ApplicationCredentialSecret)),
    },
    {
      name: "--openstack-password, OS_PASSWORD",
      storable: true,
      look: async () => usable("password", await context.reveal(config.Password)),
    },
    { name: "OS_TOKEN", storable: false, look: async () => usable("token", computer.env["OS_TOKEN"]) },
    {
      name:
        given.file === undefined
          ? `${cloudFiles(computer).join(", ")} (no cloud is chosen there by --openstack-cloud or OS_CLOUD)`
          : `the cloud ${config.Cloud} in ${given.file}`,
      storable: false,
      look: async () => usable("application_credential", ofCredential) ?? usable("password", password) ?? usable("token", token),
    },
  ];
  return await findCredential({ provider: "OpenStack", places, wayOut }, signal);
}

const wayOut =
  "Source the openrc file of your cloud, or name an entry of clouds.yaml with --openstack-cloud; both are to be had in the " +
  "dashboard below API Access. An application credential is best.";

function identityOf(context: DriverContext, settings: Settings, { method, secret }: Secret): object {
  switch (method) {
    case "application_credential":
      return { methods: [method], [method]: { ...applicationCredential(context, settings), secret } };
    case "token":
      return { methods: [method], token: { id: secret } };
    case "password":
      return { methods: [method], password: { user: { ...userOf(context, settings), password: secret } } };
  }
}

/** By its id, or by a name of the user's. */
function applicationCredential(context: DriverContext, settings: Settings): object {
  const { application_credential_id: id, application_credential_name: name } = settings;
  if (id !== undefined) return { id };
  if (name !== undefined) return { name, user: userOf(context, settings) };
  throw missing(context, "Application credential id", "OS_APPLICATION_CREDENTIAL_ID", "application-credential-id");
}

function userOf(context: DriverContext, settings: Settings): object {
  const { user_id: id, username: name } = settings;
  if (id !== undefined) return { id };
  if (name === undefined) throw missing(context, "Username", "OS_USERNAME", "username");
  return { name, domain: domainOf(settings, "user") };
}

/** An application credential has its project. */
function scopeOf(settings: Settings, { method }: Secret): { readonly scope?: object } {
  if (method === "application_credential") return {};
  const { project_id: id, project_name: name } = settings;
  if (id !== undefined) return { scope: { project: { id } } };
  if (name !== undefined) return { scope: { project: { name, domain: domainOf(settings, "project") } } };
  throw new MachineError(
    "driver-options",
    "Tenant id or name must be provided either using one of the environment variables OS_TENANT_ID and OS_TENANT_NAME or one of the CLI options --openstack-tenant-id and --openstack-tenant-name",
    { hint: "OS_PROJECT_ID and OS_PROJECT_NAME count too, and project_name of an entry in clouds.yaml." },
  );
}

/** The own domain of user or project, else the common one, else that which every Keystone is made with. */
function domainOf(settings: Settings, what: "user" | "project"): object {
  const pairs = [
    [settings[`${what}_domain_id`], settings[`${what}_domain_name`]],
    [settings.domain_id, settings.domain_name],
  ];
  for (const [id, name] of pairs) {
    if (id !== undefined) return { id };
    if (name !== undefined) return { name };
  }
  return { id: "default" };
}

function missing({ computer }: DriverContext, what: string, variable: string, flag: string): MachineError {
  return new MachineError(
    "driver-options",
    `${what} must be specified either using the environment variable ${variable} or the CLI option --openstack-${flag}`,
    { hint: `Or name an entry with --openstack-cloud in one of ${cloudFiles(computer).join(", ")}.` },
  );
}

/** Keystone's second version has been gone since 2018. */
function versionThree(authUrl: string): string {
  const base = authUrl.replace(/\/+$/u, "");
  return base.endsWith("/v3") ? base : `${base.replace(/\/v2\.0$/u, "")}/v3`;
}

function overridesIn(entry: CloudEntry): Readonly<Record<string, string>> {
  const names = Object.keys(entry).filter((key) => key.endsWith("_endpoint_override"));
  return Object.fromEntries(names.flatMap((key) => (textIn(entry, key) === undefined ? [] : [[key, String(entry[key])]])));
}

/** An address that the user gave may be plain http: private clouds often are. */
async function trustOf(context: DriverContext, config: OpenStackConfig, entry: CloudEntry, authUrl: string): Promise<HttpTrust> {
  const read = async (file: string, what: string): Promise<string> =>
    await readPem(path.resolve(context.computer.cwd, file), what);
  const roots = config.CaCert || textIn(entry, "cacert");
  const [certificate, key] = [textIn(entry, "cert"), textIn(entry, "key")];
  return {
    ...(roots === undefined ? {} : { roots: await read(roots, "CA certificate(s)") }),
    ...(certificate === undefined
      ? {}
      : { client: { certificate: await read(certificate, "certificate"), key: await readKey(context, key ?? certificate) } }),
    ...(config.Insecure || entry["verify"] === false ? { insecure: true } : {}),
    ...(authUrl.startsWith("http://") ? { plainHttp: true } : {}),
  };
}

async function readKey(context: DriverContext, file: string): Promise<string> {
  const key = await readPem(path.resolve(context.computer.cwd, file), "key");
  context.secret(key);
  return key;
}

async function readPem(file: string, what: string): Promise<string> {
  const bytes = await readFileIfExists(file);
  const pem = bytes?.toString("utf8") ?? "";
  if (pem.includes("-----BEGIN ")) return pem;
  const how = bytes === undefined ? "does not exist" : "holds none";
  throw new MachineError("driver-options", `Ill-formed ${what} PEM file: ${file} ${how}`, {
    hint: "Correct --openstack-cacert (OS_CACERT), or cacert, cert and key of the entry in clouds.yaml.",
  });
}
