/** What a `docker` machine is: the stored configuration, and how the create flags become it. No I/O. */
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { imageSuites } from "./host-image.ts";
import { isImageName } from "./image-name.ts";

export interface DockerConfig extends BaseConfig {
  /** In DOCKER_HOST's form; "" until create has found this computer's own engine. */
  EngineHost: string;
  EngineCertPath: string;
  Image: string;
  ImageMirror: string;
  /** MiB; 0 = no bound. */
  Memory: number;
  /** As the user wrote it; "" = no bound. */
  CPUs: string;
  /** "" = the network of our own. */
  Network: string;
  /** `auto` until create has chosen. */
  Reach: string;
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
    EngineHost: "",
    EngineCertPath: "",
    Image: "build",
    ImageMirror: "",
    Memory: 0,
    CPUs: "",
    Network: "",
    Reach: "auto",
    ContainerName: "",
    ContainerId: "",
    EnginePort: 0,
    Created: false,
    HostKey: "",
  };
}

const smallestMemoryMiB = 128;
/** In bytes a number that JSON carries unharmed: 4 PiB. */
const largestMemoryMiB = 2 ** 32;
/** Of the engine. */
const fewestCpus = 0.01;
const reaches = ["auto", "address", "ports"];

/** Fills the configuration from the create flags. Throws `driver-options` with the flag that is wrong. */
export function configure(config: DockerConfig, options: DriverOptions): void {
  config.EngineHost = options.string("docker-host");
  config.EngineCertPath = options.string("docker-cert-path");
  config.Image = image(options.string("docker-image"));
  config.ImageMirror = options.string("docker-image-mirror");
  config.Memory = options.int("docker-memory");
  config.CPUs = options.string("docker-cpus");
  config.Network = network(options.string("docker-network"));
  config.Reach = options.string("docker-reach");
  config.SSHUser = "root";
  if (config.Memory !== 0 && (config.Memory < smallestMemoryMiB || config.Memory > largestMemoryMiB))
    throw wrong("docker-memory", config.Memory, `0 or from ${smallestMemoryMiB} to ${largestMemoryMiB}`);
  if (config.CPUs !== "" && !(/^\d+(?:\.\d+)?$/u.test(config.CPUs) && Number(config.CPUs) >= fewestCpus))
    throw wrong("docker-cpus", config.CPUs, `a number such as 1.5, ${fewestCpus} at the least`);
  if (!reaches.includes(config.Reach)) throw wrong("docker-reach", config.Reach, `one of ${reaches.join(", ")}`);
}

function image(text: string): string {
  const suite = /^build:(.*)$/u.exec(text)?.[1];
  if (text === "" || (suite !== undefined && !imageSuites.includes(suite)))
    throw wrong("docker-image", text, `build, build:SUITE (${imageSuites.join(", ")}) or an image`);
  if (!isImageName(text)) throw wrong("docker-image", text, "the name of an image, such as registry.example/team/host:1");
  return text;
}

/** A machine in the network of another container, of the computer itself, or in none, would be no machine. */
function network(text: string): string {
  const shared = /^(?:host|none|container:.*)$/u.test(text);
  if (!shared) return text;
  throw new MachineError("driver-options", `--docker-network ${text} gives the machine no network of its own`, {
    hint: "Leave it out for docker-machine's own network, or name one that was made by: docker network create NAME",
  });
}

function wrong(flag: string, value: string | number, wanted: string): MachineError {
  return new MachineError("driver-options", `--${flag} ${JSON.stringify(value)} is not ${wanted}`);
}
