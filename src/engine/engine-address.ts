/** Where an engine listens, as machines record it: `tcp://192.0.2.7:2376`. */
import { MachineError } from "../errors/machine-error.ts";

export interface EngineAddress {
  /** Host name or address, an IPv6 one without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where an engine listens with TLS unless it is told otherwise (IANA: docker-s). */
export const defaultEnginePort = 2376;

/** Where the master of a classic swarm listens unless `--swarm-host` says otherwise: 0.16.2 tells clients this port. */
export const classicSwarmPort = 3376;

/** Where a swarm master listens, by its `--swarm-host`. */
export function swarmPortOf(swarmHost: string): number {
  return Number(/:(\d+)\/?$/u.exec(swarmHost)?.[1] ?? classicSwarmPort);
}

/** Throws `usage` for what is not the URL of an engine. */
export function parseEngineUrl(url: string): EngineAddress {
  const found = /^(?:tcp|https?):\/\/(?:\[(?<v6>[^\]]+)\]|(?<name>[^:/[\]]+))(?::(?<port>\d+))?\/?$/u.exec(url)?.groups;
  const host = found?.["v6"] ?? found?.["name"];
  const port = Number(found?.["port"] ?? defaultEnginePort);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new MachineError("usage", `${JSON.stringify(url)} is not the address of an engine`, {
      hint: `It looks like tcp://192.0.2.7:${defaultEnginePort}.`,
    });
  }
  return { host, port };
}

/** `192.0.2.7:2376`, `[2001:db8::1]:2376`. */
export function formatHostPort({ host, port }: EngineAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
