/**
 * What the lab's images are made of: data only. A base is made by mmdebstrap, everything else is a layer of packages
 * and a script on top of another image.
 */
import type { Release } from "./outer-apt.ts";
import { systemRecipes } from "./systems/system-recipes.ts";
import { tinyImage } from "./tiny-image.ts";

export const releases = ["bullseye", "bookworm", "trixie"] as const satisfies readonly Release[];

export type ImageRecipe = {
  readonly packages: readonly string[];
  /** Run as root inside the finished file system, by `sh -eu`. */
  readonly script: string;
} & ({ readonly release: Release } | { readonly from: string });

/** systemd, sshd and sudo, and nothing that a provisioner could hope for: no curl, no CA certificates, no engine. */
function bare(release: Release): ImageRecipe {
  return {
    release,
    packages: ["systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "sudo", "iproute2"],
    script: `
      # Wait for things that a container does not have, or fail for want of them.
      systemctl mask systemd-networkd-wait-online.service systemd-firstboot.service systemd-modules-load.service
      systemctl enable ssh.service
      # Every host makes its own, as an installed machine would.
      rm -f /etc/ssh/ssh_host_*
    `,
  };
}

/** Debian's engine, with a tiny image to import and rsync for copies. */
function engine(release: Release): ImageRecipe {
  return {
    from: `${release}-bare`,
    packages: ["docker.io", ...(release === "trixie" ? ["docker-cli"] : []), "rsync", "busybox-static"],
    script: tinyImage(),
  };
}

/** A firewall that is up from the first boot on and lets only SSH in, on a host that has an engine. */
const firewalls: Readonly<Record<string, ImageRecipe>> = {
  firewalld: {
    from: "bookworm-engine",
    packages: ["firewalld"],
    // Debian's default zone, public, lets ssh and dhcpv6-client in.
    script: "systemctl enable firewalld.service",
  },
  ufw: {
    from: "bookworm-engine",
    packages: ["ufw"],
    script: `
      ufw allow 22/tcp
      sed -i 's/^ENABLED=no/ENABLED=yes/' /etc/ufw/ufw.conf
      systemctl enable ufw.service
    `,
  },
};

/** A computer that its user has just set up, and can get files with. */
const fresh: ImageRecipe = { from: "bookworm-bare", packages: ["curl", "wget"], script: "" };

/** The other SSH server of small systems. */
const dropbear: ImageRecipe = {
  from: "bookworm-bare",
  packages: ["dropbear", "openssh-sftp-server"],
  script: `
    apt-get -qq purge -y openssh-server openssh-client
    rm -f /etc/dropbear/dropbear_*_host_key
    systemctl enable dropbear.service
  `,
};

/** Packages that boxes of others have: shells that are not POSIX, engines that one of ours would have to push aside. */
const others: Readonly<Record<string, ImageRecipe>> = {
  "other-shells": { from: "bookworm-bare", packages: ["fish", "tcsh"], script: "" },
  podman: { from: "bookworm-bare", packages: ["podman-docker"], script: "" },
  containerd: {
    from: "bookworm-bare",
    packages: ["containerd"],
    script: "echo '# mine' >> /etc/containerd/config.toml\nsystemctl enable containerd.service",
  },
};

/** What turns Debian's engine into packages as Docker's own repository has them, and signs them. */
const packager: ImageRecipe = { from: "bookworm-bare", packages: ["apt-utils", "gnupg"], script: "" };

/** OpenStack's services (Zed), not yet set up: in two layers, because each has hundreds of packages. */
const openstackGround: ImageRecipe = {
  from: "bookworm-bare",
  packages: [
    ...["mariadb-server", "rabbitmq-server", "python3-pymysql", "python3-openstacksdk", "curl"],
    ...["keystone", "glance-api", "placement-api"],
  ],
  script: "",
};

const openstack: ImageRecipe = {
  from: "openstack-ground",
  packages: [
    ...["nova-api", "nova-conductor", "nova-scheduler", "nova-compute", "nova-compute-kvm"],
    ...["neutron-server", "neutron-linuxbridge-agent", "cinder-api", "cinder-scheduler", "cinder-volume"],
  ],
  script: "",
};

export const recipes: Readonly<Record<string, ImageRecipe>> = {
  ...Object.fromEntries(releases.map((release) => [`${release}-bare`, bare(release)])),
  ...Object.fromEntries(releases.map((release) => [`${release}-engine`, engine(release)])),
  ...firewalls,
  ...others,
  ...systemRecipes,
  dropbear,
  fresh,
  packager,
};

/** Large ones, built only where they are asked for by name. */
export const largeRecipes: Readonly<Record<string, ImageRecipe>> = {
  "openstack-ground": openstackGround,
  openstack,
};
