/**
 * A machine's container that exists: what the engine says of it, starting it again, and where it is reached. Others work
 * on the same engine: they remove, pause and disconnect it, and take its address and ports while it is stopped.
 */
import { isApiError } from "../../engine/engine-api.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import type { DockerConfig } from "./config.ts";
import { networkName, type ContainerFacts } from "./container.ts";
import { publishedAddress } from "./endpoint.ts";
import type { Workplace } from "./workplace.ts";

export const startTimeoutMs = 60_000;
const inspectTimeoutMs = 10_000;

/** The machine's container; undefined when it is gone. */
export async function findContainer({ api, config }: Workplace, signal: AbortSignal): Promise<ContainerFacts | undefined> {
  try {
    const request = { signal, timeoutMs: inspectTimeoutMs };
    return (await api.send("GET", `/containers/${config.ContainerId}/json`, request)) as ContainerFacts;
  } catch (error) {
    if (isApiError(error, 404)) return undefined;
    throw error;
  }
}

/** The machine's container. Throws `provider-error` when it is gone. */
export async function inspectContainer(place: Workplace, signal: AbortSignal): Promise<ContainerFacts> {
  const found = await findContainer(place, signal);
  if (found === undefined) throw goneFrom(place.config);
  return found;
}

export function goneFrom({ MachineName }: DockerConfig): MachineError {
  return new MachineError("provider-error", `The container of "${MachineName}" is gone from the engine`, {
    hint: `Remove the machine and create it again: docker-machine rm ${MachineName}`,
  });
}

/** Starts the stopped container. Throws `port-taken` and `provider-error` with what others have taken of it meanwhile. */
export async function startContainer(place: Workplace, id: string, signal: AbortSignal): Promise<void> {
  try {
    await place.api.send("POST", `/containers/${id}/start`, { signal, timeoutMs: startTimeoutMs });
  } catch (error) {
    signal.throwIfAborted();
    throw explainStart(place, error);
  }
}

/** What an engine says when it cannot start a container as it was made, in the words of several versions. */
function explainStart({ config }: Workplace, error: unknown): unknown {
  const said = messageOf(error);
  const name = config.MachineName;
  const port = /port is already allocated|bind: address already in use|failed to bind host port|ports are not available/iu;
  if (port.test(said)) {
    const taken = [config.SSHPort, config.EnginePort].find((each) => new RegExp(`\\b${each}\\b`, "u").test(said));
    const ports = taken === undefined ? `${config.SSHPort} or ${config.EnginePort}` : String(taken);
    return new MachineError("port-taken", `Port ${ports} of the engine's computer, which leads to "${name}", is in use`, {
      cause: error,
      hint: `End the program or container that has it, then: docker-machine start ${name}`,
    });
  }
  if (/address already in use/iu.test(said)) {
    return new MachineError("provider-error", `The address ${config.IPAddress} of "${name}" is taken by another container`, {
      cause: error,
      hint: `See which with docker network inspect ${networkName(config.Network)}, remove it, then: docker-machine start ${name}`,
    });
  }
  if (/network \S+ not found|could not find a network|No such network/iu.test(said)) {
    return new MachineError(
      "provider-error",
      `The network ${networkName(config.Network)} of "${name}" was removed from the engine`,
      {
        cause: error,
        hint: `Remove the machine and create it again: docker-machine rm ${name}`,
      },
    );
  }
  return error;
}

/** The address under which the running machine is reached. Throws `provider-error` where it has none. */
export async function addressOf(place: Workplace, signal: AbortSignal): Promise<string> {
  const { config, endpoint } = place;
  if (config.Reach === "ports") return publishedAddress(endpoint);
  const { State, NetworkSettings } = await inspectContainer(place, signal);
  const own = NetworkSettings.Networks[networkName(config.Network)]?.IPAddress ?? "";
  const address = own === "" ? Object.values(NetworkSettings.Networks).find(({ IPAddress }) => IPAddress !== "")?.IPAddress : own;
  if (address !== undefined) return address;
  throw State.Status === "running" ? disconnected(place) : endedAtOnce(place, State);
}

function disconnected({ config }: Workplace): MachineError {
  const name = config.MachineName;
  const address = config.Network === "" && config.IPAddress !== "" ? `--ip ${config.IPAddress} ` : "";
  return new MachineError("provider-error", `"${name}" runs but is in no network of the engine: it has been disconnected`, {
    hint: `Connect it again: docker network connect ${address}${networkName(config.Network)} ${config.ContainerName}`,
  });
}

function endedAtOnce({ config }: Workplace, { ExitCode, Error: reason }: ContainerFacts["State"]): MachineError {
  const why = reason === "" ? `with status ${ExitCode}` : `with: ${reason}`;
  return new MachineError("provider-error", `The container of "${config.MachineName}" ended as soon as it was started, ${why}`, {
    hint: `See what it said with: docker logs ${config.ContainerName}`,
  });
}
