/** What a docker client of this computer needs in its environment to work with a machine's engine. */
import { requireConnection } from "./engine-connection.ts";
import { isOverSsh } from "./engine-transport.ts";
import type { Host } from "./host.ts";
import type { MachineContext } from "../machine-context.ts";
import { keepPublished } from "../published/keep.ts";

export interface ClientEnvironment extends AsyncDisposable {
  /** Of the environment; undefined = the variable must not be there. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Throws why the engine cannot be reached any more. */
  check(): Promise<void>;
}

/** What would lead a client elsewhere, or have it look for certificates where there are none. */
const elsewhere = { DOCKER_CONTEXT: undefined, DOCKER_TLS: undefined, DOCKER_API_VERSION: undefined };

/**
 * The engine is asked first. Where it is reached over SSH, the variables name a socket of this computer that leads to it
 * until this is closed.
 * @param overSsh also where the engine listens at a port of its own
 */
export async function openClientEnvironment(
  context: MachineContext,
  host: Host,
  overSsh: boolean,
  signal: AbortSignal,
): Promise<ClientEnvironment> {
  if (overSsh || isOverSsh(host)) return await behindSocket(context, host, signal);
  const url = await requireConnection(context, host, false, signal);
  return {
    variables: {
      ...elsewhere,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_HOST: url,
      DOCKER_CERT_PATH: host.dir,
      DOCKER_MACHINE_NAME: host.name,
    },
    check: async () => void (await requireConnection(context, host, false, signal)),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function behindSocket(context: MachineContext, host: Host, signal: AbortSignal): Promise<ClientEnvironment> {
  const [{ openEngineSocket, labelOf }, { pingSocket }] = await Promise.all([
    import("./engine-socket.ts"),
    import("../../engine/socket-engine.ts"),
  ]);
  const socket = await openEngineSocket(context, host, signal);
  await keepPublished(context, host);
  const question = { socketPath: socket.path, label: labelOf(host), timeoutMs: context.timeouts.engineRequestMs, signal };
  return {
    variables: {
      ...elsewhere,
      DOCKER_TLS_VERIFY: undefined,
      DOCKER_CERT_PATH: undefined,
      DOCKER_HOST: `unix://${socket.path}`,
      DOCKER_MACHINE_NAME: host.name,
    },
    check: async () => await pingSocket(question),
    [Symbol.asyncDispose]: async () => await socket[Symbol.asyncDispose](),
  };
}
