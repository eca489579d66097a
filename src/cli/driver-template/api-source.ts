/** `src/api.ts` of a new driver's project. */
export const apiSource = `/** The provider's HTTP API, as far as the driver needs it. Paths and fields are an example: put your provider's here. */
import { MachineError } from "docker-machine/driver";

export interface Instance {
  readonly id: string;
  readonly status: "starting" | "running" | "stopped";
  /** "" until it has one. */
  readonly address: string;
}

export interface NewInstance {
  readonly name: string;
  /** Marks what one create has made, so that it is found again after a crash. */
  readonly label: string;
  readonly size: string;
  readonly publicKey: string;
}

export type Action = "start" | "stop" | "kill" | "restart";

export class Api {
  readonly #endpoint: string;
  readonly #token: string;

  constructor(endpoint: string, token: string) {
    this.#endpoint = endpoint;
    this.#token = token;
  }

  async create(instance: NewInstance, signal: AbortSignal): Promise<Instance> {
    return (await this.#request("POST", "/instances", signal, instance)) as Instance;
  }

  async list(label: string, signal: AbortSignal): Promise<readonly Instance[]> {
    return (await this.#request("GET", \`/instances?label=\${encodeURIComponent(label)}\`, signal)) as Instance[];
  }

  /** Undefined where there is no such instance. */
  async get(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    return (await this.#request("GET", \`/instances/\${id}\`, signal)) as Instance | undefined;
  }

  async act(id: string, action: Action, signal: AbortSignal): Promise<void> {
    await this.#request("POST", \`/instances/\${id}/\${action}\`, signal);
  }

  /** Succeeds where there is no such instance. */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    await this.#request("DELETE", \`/instances/\${id}\`, signal);
  }

  async #request(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<unknown> {
    const response = await fetch(this.#endpoint + path, {
      method,
      signal,
      headers: { authorization: \`Bearer \${this.#token}\`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new MachineError("provider-error", \`\${this.#endpoint} cannot be reached\`, { cause: error });
    });
    const text = await response.text();
    if (response.status === 404 && method !== "POST") return undefined;
    if (!response.ok) throw new MachineError("provider-error", \`\${method} \${path}: \${response.status} \${text.slice(0, 500)}\`);
    return text === "" ? undefined : JSON.parse(text);
  }
}
`;
