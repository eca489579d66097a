/**
 * Credentials: those of the command line, then the environment's, then what AWS's own chain finds (SSO, the files in ~/.aws,
 * a process, a web identity, a container's or an instance's role).
 */
import type { defaultProvider } from "@aws-sdk/credential-provider-node";
import type { DriverContext } from "../../driver-kit/driver.ts";
import type { Amazonec2Config } from "./options.ts";

type Keys = Awaited<ReturnType<ReturnType<typeof defaultProvider>>>;

/** What the SDK's clients take: asked again by them when they are about to expire. */
type KeysProvider = () => Promise<Keys>;

type Chain = (init: { readonly profile?: string }) => () => Promise<Keys>;

/** Every secret among them is registered, so that it is never printed. */
export async function credentialsOf(
  sdk: { readonly defaultProvider: Chain },
  context: DriverContext,
  config: Amazonec2Config,
): Promise<KeysProvider> {
  const chain = sdk.defaultProvider(config.Profile === "" ? {} : { profile: config.Profile });
  return async () => {
    const keys = (await ofCommandLine(context, config)) ?? ofEnvironment(context, config) ?? (await chain());
    for (const value of [keys.secretAccessKey, keys.sessionToken]) if (value !== undefined) context.secret(value);
    return keys;
  };
}

async function ofCommandLine({ reveal }: DriverContext, config: Amazonec2Config): Promise<Keys | undefined> {
  if (config.AccessKey === "" || config.SecretKey === "") return undefined;
  const sessionToken = config.SessionToken === "" ? undefined : await reveal(config.SessionToken);
  return {
    accessKeyId: await reveal(config.AccessKey),
    secretAccessKey: await reveal(config.SecretKey),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

/** A profile that was named counts more than variables, as with AWS's own tools. */
function ofEnvironment({ computer }: DriverContext, { Profile }: Amazonec2Config): Keys | undefined {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: token } = computer.env;
  if (Profile !== "" || isEmpty(id) || isEmpty(key)) return undefined;
  return { accessKeyId: id, secretAccessKey: key, ...(isEmpty(token) ? {} : { sessionToken: token }) };
}

function isEmpty(value: string | undefined): value is "" | undefined {
  return value === undefined || value === "";
}

/** For the error that lists where was looked. */
export function credentialPlaces({ Profile }: Amazonec2Config): readonly string[] {
  const profile = Profile === "" ? "the default profile" : `the profile ${Profile}`;
  return [
    "--amazonec2-access-key and --amazonec2-secret-key",
    ...(Profile === "" ? ["AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"] : []),
    `${profile} of ~/.aws/config and ~/.aws/credentials (SSO, roles, processes)`,
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "the role of a container or an instance",
  ];
}
