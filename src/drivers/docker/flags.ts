/** Create flags of `docker`. */
import type { CreateFlag } from "../../driver-kit/create-flag.ts";

export const dockerFlags: readonly CreateFlag[] = [
  {
    kind: "string",
    name: "docker-host",
    envVar: "DOCKER_HOST",
    value: "",
    usage: "Engine that carries the machine: unix:///PATH or tcp://HOST:PORT; this computer's own when empty",
  },
  {
    kind: "string",
    name: "docker-cert-path",
    envVar: "DOCKER_CERT_PATH",
    value: "",
    usage: "Folder with ca.pem, cert.pem and key.pem for an engine behind TLS",
  },
  {
    kind: "string",
    name: "docker-image",
    envVar: "DOCKER_MACHINE_IMAGE",
    value: "build",
    usage: "Image of the machine: build, build:SUITE (made here from Debian packages), or an image with systemd and sshd in it",
  },
  {
    kind: "string",
    name: "docker-image-mirror",
    envVar: "DOCKER_MACHINE_IMAGE_MIRROR",
    value: "",
    usage: "Mirror of the Debian archive that images are built from",
  },
  {
    kind: "int",
    name: "docker-memory",
    envVar: "DOCKER_MACHINE_MEMORY",
    value: 0,
    usage: "Most memory the machine may use, in MB; 0 = no bound",
  },
  {
    kind: "string",
    name: "docker-cpus",
    envVar: "DOCKER_MACHINE_CPUS",
    value: "",
    usage: "Most CPUs the machine may use, such as 1.5; no bound when empty",
  },
  {
    kind: "string",
    name: "docker-network",
    envVar: "DOCKER_MACHINE_NETWORK",
    value: "",
    usage: "Network of the engine; one of docker-machine's own, with a lasting address, when empty",
  },
  {
    kind: "string",
    name: "docker-reach",
    envVar: "DOCKER_MACHINE_REACH",
    value: "auto",
    usage: "How the machine is reached: address (its own), ports (published by the engine's computer), or auto",
  },
];
