/** Which ports the containers of an engine publish, and when that may have changed. */
import type { EngineApi } from "./engine-api.ts";

export interface PublishedByContainer {
  readonly protocol: "tcp" | "udp";
  /** At which address of the engine's host; "" and 0.0.0.0 are all of IPv4, :: all of IPv6. */
  readonly address: string;
  readonly port: number;
  /** Name of the container. */
  readonly container: string;
}

export interface ContainerQuestion {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Of the containers that run. Throws as {@link EngineApi.send}. */
export async function listPublished(api: EngineApi, question: ContainerQuestion): Promise<readonly PublishedByContainer[]> {
  const answer = await api.send("GET", "/containers/json", question);
  return Array.isArray(answer) ? answer.flatMap(publishedBy) : [];
}

/** An engine may be of anybody: what is no port is none. */
function publishedBy(container: unknown): PublishedByContainer[] {
  const { Names, Ports } = (container ?? {}) as { Names?: unknown; Ports?: unknown };
  const name = Array.isArray(Names) && typeof Names[0] === "string" ? Names[0].replace(/^\//u, "") : "";
  return Array.isArray(Ports) ? Ports.flatMap((port) => readPort(port, name)) : [];
}

function readPort(found: unknown, container: string): PublishedByContainer[] {
  const { IP, PublicPort, Type } = (found ?? {}) as { IP?: unknown; PublicPort?: unknown; Type?: unknown };
  if (typeof PublicPort !== "number" || !Number.isInteger(PublicPort) || PublicPort < 1 || PublicPort > 65_535) return [];
  if (Type !== "tcp" && Type !== "udp") return [];
  return [{ protocol: Type, address: typeof IP === "string" ? IP : "", port: PublicPort, container }];
}

/**
 * Has the engine tell of containers that start and end, and of networks they come to and leave. Resolves once it does; the
 * reader that it gives calls `onChange` each time, and resolves when the engine ends the stream. Throws as
 * {@link EngineApi.subscribe}.
 */
export async function followContainers(api: EngineApi, signal: AbortSignal): Promise<(onChange: () => void) => Promise<void>> {
  const filters = JSON.stringify({ type: ["container", "network"], event: ["start", "die", "destroy", "connect", "disconnect"] });
  const read = await api.subscribe("/events", { query: { filters }, signal, timeoutMs: 0 });
  return async (onChange) => await read(onChange);
}
