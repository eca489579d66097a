/** The options of `docker`: create flags, the fields of the record they fill, and what they may be. */
import { defineOptions, int, text } from "../../driver-kit/options.ts";
import { imageSuites } from "./host-image.ts";
import { isImageName } from "./image-name.ts";

const smallestMemoryMiB = 128;
/** In bytes a number that JSON carries unharmed: 4 PiB. */
const largestMemoryMiB = 2 ** 32;
/** Of the engine. */
const fewestCpus = 0.01;

export const dockerOptions = defineOptions("docker", {
  /** In DOCKER_HOST's form; "" until create has found this computer's own engine. */
  EngineHost: text("host", {
    envVar: "DOCKER_HOST",
    usage: "Engine that carries the machine: unix:///PATH or tcp://HOST:PORT; this computer's own when empty",
  }),
  EngineCertPath: text("cert-path", {
    envVar: "DOCKER_CERT_PATH",
    usage: "Folder with ca.pem, cert.pem and key.pem for an engine behind TLS",
  }),
  Image: text("image", {
    envVar: "DOCKER_MACHINE_IMAGE",
    value: "build",
    usage: "Image of the machine: build, build:SUITE (made here from Debian packages), or an image with systemd and sshd in it",
    check: wrongImage,
  }),
  ImageMirror: text("image-mirror", {
    envVar: "DOCKER_MACHINE_IMAGE_MIRROR",
    usage: "Mirror of the Debian archive that images are built from",
  }),
  /** MiB; 0 = no bound. */
  Memory: int("memory", {
    unit: "MB",
    envVar: "DOCKER_MACHINE_MEMORY",
    usage: "Most memory the machine may use, in MB; 0 = no bound",
    atLeast: smallestMemoryMiB,
    atMost: largestMemoryMiB,
    or: 0,
  }),
  /** As the user wrote it; "" = no bound. */
  CPUs: text("cpus", {
    envVar: "DOCKER_MACHINE_CPUS",
    usage: "Most CPUs the machine may use, such as 1.5; no bound when empty",
    check: (given) => (isCpuCount(given) ? undefined : `is not a number such as 1.5, ${fewestCpus} at the least`),
  }),
  /** "" = the network of our own. */
  Network: text("network", {
    envVar: "DOCKER_MACHINE_NETWORK",
    usage: "Network of the engine; one of docker-machine's own, with a lasting address, when empty",
  }),
  /** `auto` until create has chosen. */
  Reach: text("reach", {
    envVar: "DOCKER_MACHINE_REACH",
    value: "auto",
    usage: "How the machine is reached: address (its own), ports (published by the engine's computer), or auto",
    oneOf: ["auto", "address", "ports"],
  }),
});

function wrongImage(given: string): string | undefined {
  const suite = /^build:(.*)$/u.exec(given)?.[1];
  if (given === "" || (suite !== undefined && !imageSuites.includes(suite)))
    return `is not build, build:SUITE (${imageSuites.join(", ")}) or an image`;
  return isImageName(given) ? undefined : "is not the name of an image, such as registry.example/team/host:1";
}

function isCpuCount(given: string): boolean {
  return given === "" || (/^\d+(?:\.\d+)?$/u.test(given) && Number(given) >= fewestCpus);
}
