/** What a `docker` machine is: the stored configuration, and how the create flags become it. No I/O. */
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { ConfigOf } from "../../driver-kit/options.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { dockerOptions } from "./options.ts";

export interface DockerConfig extends BaseConfig, ConfigOf<typeof dockerOptions> {
  /** Chosen before the container is made: "" means that create has not begun. */
  ContainerName: string;
  /** Id of the container; "" while there is none. */
  ContainerId: string;
  /** TCP port that leads to the machine's engine. */
  EnginePort: number;
  /** The container has been started with its own keys. */
  Created: boolean;
  /** Public host key that the container was given. */
  HostKey: string;
}

export function defaultConfig(machineName: string, storePath: string): DockerConfig {
  return {
    ...newBaseConfig(machineName, storePath),
    ...dockerOptions.defaults(),
    ContainerName: "",
    ContainerId: "",
    EnginePort: 0,
    Created: false,
    HostKey: "",
  };
}

/** Fills the configuration from the create flags. Throws `driver-options` with the flag that is wrong. */
export function configure(config: DockerConfig, options: DriverOptions): void {
  Object.assign(config, dockerOptions.read(options));
  config.SSHUser = "root";
  requireNetworkOfItsOwn(config.Network);
}

/** A machine in the network of another container, of the computer itself, or in none, would be no machine. */
function requireNetworkOfItsOwn(network: string): void {
  if (!/^(?:host|none|container:.*)$/u.test(network)) return;
  throw new MachineError(
    "driver-options",
    `${dockerOptions.flagOf("Network")} ${network} gives the machine no network of its own`,
    {
      hint: "Leave it out for docker-machine's own network, or name one that was made by: docker network create NAME",
    },
  );
}
