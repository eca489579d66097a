/** What the shared create flags are where nobody gives them: for the command line, which shows them, and for the library. */
import { classicSwarmPort } from "../engine/engine-address.ts";

export const createDefaults = {
  "engine-firewall": "open",
  "engine-install-url": "https://get.docker.com",
  "engine-source": "auto",
  "engine-transport": "tls",
  "swarm-host": `tcp://0.0.0.0:${classicSwarmPort}`,
  "swarm-image": "swarm:latest",
  "swarm-strategy": "spread",
  "tls-key-type": "rsa",
} as const;
