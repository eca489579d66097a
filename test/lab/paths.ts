/**
 * Where the lab keeps what it makes. Everything is in one folder outside the tree, so that all checkouts on a computer
 * share the images and the engine: `$XDG_CACHE_HOME/docker-machine-lab`.
 */
import { homedir } from "node:os";
import * as path from "node:path";

const cacheHome = process.env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
const root = path.join(cacheHome, "docker-machine-lab");

export const labPaths = {
  root,
  /** Held while the engine is started or ended and while leases change. */
  lock: path.join(root, "lab.lock"),
  /** Held by the one OpenStack that there can be: it gives out fixed addresses of the lab's. */
  openstackLock: path.join(root, "openstack.lock"),
  leases: path.join(root, "leases"),
  hosts: path.join(root, "hosts"),
  /** SSH key pair of all lab hosts. */
  identity: path.join(root, "id_ed25519"),
  /** What apt says about its mirrors, kept because asking is slow. */
  outerApt: path.join(root, "outer-apt.json"),
  imageLock: (name: string): string => path.join(root, `image-${name}.lock`),
  repositories: path.join(root, "repositories"),
  engine: {
    /** What the lab changed on this computer, for the undoing. */
    state: path.join(root, "engine.json"),
    data: path.join(root, "engine"),
    exec: path.join(root, "run"),
    socket: path.join(root, "engine.sock"),
    pid: path.join(root, "engine.pid"),
    log: path.join(root, "engine.log"),
    config: path.join(root, "engine-config.json"),
  },
} as const;
