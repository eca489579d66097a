/**
 * EC2 and SSM through AWS's SDK, which is loaded with the first request: proxies and trust are ours, its loggers are off,
 * its failures are explained by our table.
 */
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { SSMClient } from "@aws-sdk/client-ssm";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { failureError } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { credentialsOf, credentialPlaces } from "./credentials.ts";
import { endpointOf, ssmEndpointOf } from "./endpoint.ts";
import { failureOf, failures, wayToCredentials } from "./failures.ts";
import { zoneName, type Amazonec2Config } from "./options.ts";
import { turnFor } from "./rates.ts";

type Sdk = (typeof import("./sdk.ts"))["sdk"];
type Commands = Sdk["ec2Commands"];
export type Ec2Call = keyof Commands;
export type InputOf<Call extends Ec2Call> = ConstructorParameters<Commands[Call]>[0];
export type OutputOf<Call extends Ec2Call> =
  InstanceType<Commands[Call]> extends { resolveMiddleware(...args: never[]): (args: never) => Promise<{ output: infer Output }> }
    ? Output
    : never;

/** Bounds on one request, whatever waits for it. */
const requestMs = 60_000;
const connectMs = 20_000;

export class Ec2Api {
  readonly #context: DriverContext;
  readonly #config: Amazonec2Config;
  #ec2: Promise<{ readonly client: EC2Client; readonly sdk: Sdk }> | undefined;
  #ssm: Promise<SSMClient> | undefined;

  constructor(context: DriverContext, config: Amazonec2Config) {
    this.#context = context;
    this.#config = config;
  }

  /** Repeated by the SDK where the failure may pass. Throws `provider-…` or the signal's reason. */
  async send<Call extends Ec2Call>(call: Call, input: InputOf<Call>, signal: AbortSignal): Promise<OutputOf<Call>> {
    const { client, sdk } = await this.#open();
    await turnFor(call, this.#config.Region, this.#context.clock, signal);
    return await this.#explained(`ec2:${call}`, signal, async () => {
      const command = new (sdk.ec2Commands[call] as unknown as new (given: unknown) => never)(input);
      return (await client.send(command, { abortSignal: signal })) as OutputOf<Call>;
    });
  }

  /**
   * Values of public parameters by name; those that do not exist are left out. Undefined where there is no SSM: an
   * endpoint that is not AWS's has none unless told.
   */
  async parameters(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined> {
    const endpoint = ssmEndpointOf(this.#config, this.#context.computer);
    if (endpoint === null) return undefined;
    const { sdk } = await this.#open();
    this.#ssm ??= this.#settings(sdk, endpoint).then((settings) => new sdk.SSMClient(settings));
    const client = await this.#ssm;
    const found = await this.#explained("ssm:GetParameters", signal, async () => {
      return await client.send(new sdk.GetParametersCommand({ Names: [...names] }), { abortSignal: signal });
    });
    return new Map((found.Parameters ?? []).map(({ Name = "", Value = "" }) => [Name, Value]));
  }

  /** The region of the environment or the profile; undefined where neither tells one. */
  async regionOfProfile(): Promise<string | undefined> {
    const { sdk } = await import("./sdk.ts");
    const { Profile } = this.#config;
    const client = new sdk.EC2Client(Profile === "" ? {} : { profile: Profile });
    return await client.config.region().catch(() => undefined);
  }

  async #open(): Promise<{ readonly client: EC2Client; readonly sdk: Sdk }> {
    this.#ec2 ??= this.#openClient();
    return await this.#ec2;
  }

  async #openClient(): Promise<{ readonly client: EC2Client; readonly sdk: Sdk }> {
    const { sdk } = await import("./sdk.ts");
    return { sdk, client: new sdk.EC2Client(await this.#settings(sdk, endpointOf(this.#config))) };
  }

  async #settings(sdk: Sdk, endpoint: string | undefined): Promise<ConstructorParameters<typeof EC2Client>[0] & object> {
    const { Profile, Region, RetryCount } = this.#config;
    const quiet = (): void => {};
    return {
      region: Region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(Profile === "" ? {} : { profile: Profile }),
      credentials: await credentialsOf(sdk, this.#context, this.#config),
      maxAttempts: Math.max(1, RetryCount + 1),
      requestHandler: new sdk.NodeHttpHandler({
        httpsAgent: await this.#context.http.agent(),
        connectionTimeout: connectMs,
        requestTimeout: requestMs,
        throwOnRequestTimeout: true,
      }),
      logger: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    };
  }

  async #explained<Answer>(call: string, signal: AbortSignal, work: () => Promise<Answer>): Promise<Answer> {
    const { clock, report } = this.#context;
    const begun = clock.monotonicMs();
    const told = (how: string): void => logTo(report, "debug", `${call}: ${how}, ${Math.round(clock.monotonicMs() - begun)} ms`);
    try {
      signal.throwIfAborted();
      const answer = await work();
      told("ok");
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      const failure = failureOf(error);
      if (failure.code === "CredentialsProviderError" || failure.code === "TokenProviderError") throw this.#noCredentials(error);
      told(`${failure.code} ${failure.requestId ?? ""}`.trimEnd());
      throw failureError("AWS", failure, failures, this.#facts(call), error);
    }
  }

  #facts(call: string): Readonly<Record<string, string>> {
    const { AMI, InstanceType, IamInstanceProfile, Region } = this.#config;
    const zone = zoneName(this.#config);
    return {
      call,
      image: AMI,
      region: Region,
      size: InstanceType,
      profile: IamInstanceProfile,
      zone: zone === "" ? Region : zone,
    };
  }

  #noCredentials(cause: unknown): MachineError {
    const looked = credentialPlaces(this.#config).join(", ");
    return new MachineError("provider-credentials", `No credentials for AWS were found; looked at: ${looked}`, {
      hint: wayToCredentials,
      cause,
    });
  }
}
