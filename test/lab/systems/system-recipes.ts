/** The images of systems beyond Debian: Debian's base with another package manager, or another init system. Data only. */
import { readFileSync } from "node:fs";
import type { ImageRecipe } from "../recipes.ts";
import { siteRuleset } from "../site-ruleset.ts";
import { tinyImage } from "../tiny-image.ts";

/** What makes the packages of systems beyond Debian. */
const familyPackager: ImageRecipe = {
  from: "bookworm-bare",
  packages: ["rpm", "createrepo-c", "gnupg", "makepkg", "pacman-package-manager", "libarchive-tools", "zstd"],
  script: "",
};

/** What engines need of a base, and what every system's base has. */
const familyBase = [
  ...["curl", "ca-certificates", "procps", "xz-utils", "busybox-static", "netbase"],
  ...[
    "libdevmapper1.02.1",
    "libseccomp2",
    "libip4tc2",
    "libip6tc2",
    "libxtables12",
    "libnftnl11",
    "libmnl0",
    "libnetfilter-conntrack3",
  ],
];

/** Hosts with another system's package manager: see systems.ts. */
const managers = {
  dnf: {
    from: "bookworm-bare",
    packages: [...familyBase, "dnf", "dnf-plugins-core", "rpm"],
    script: `
      ${tinyImage()}
      ${systemScript("rpm-base.sh")}
      # Debian's own additions.
      rm -f /etc/dnf/aliases.d/zypper.conf
      sed -i 's/^enabled.*/enabled = false/' /etc/dnf/plugins/local.conf
      mkdir -p /etc/yum.repos.d
      printf '[main]\\ngpgcheck=1\\ninstallonly_limit=3\\nclean_requirements_on_remove=True\\nbest=True\\nskip_if_unavailable=False\\n' > /etc/dnf/dnf.conf
      ${systemScript("forget-debian.sh")}
    `,
  },
  zypper: {
    from: "bookworm-bare",
    packages: [...familyBase, "zypper", "rpm"],
    script: `
      ${tinyImage()}
      ${systemScript("rpm-base.sh")}
      rm -rf /etc/zypp/apt-packagemap.d
      mkdir -p /etc/zypp/repos.d
      ${systemScript("forget-debian.sh")}
    `,
  },
  pacman: {
    from: "bookworm-bare",
    packages: [...familyBase, "pacman-package-manager", "makepkg", "gnupg", "libarchive-tools", "zstd"],
    script: `
      ${tinyImage()}
      ${systemScript("../repositories/pacman-package.sh")}
      ${systemScript("pacman-base.sh")}
      ${systemScript("forget-debian.sh")}
    `,
  },
} as const satisfies Record<string, ImageRecipe>;

/** The same behind a firewall of Debian's packages that lets only SSH in. */
const firewalled: Readonly<Record<string, ImageRecipe>> = {
  "dnf-firewalld": {
    ...managers.dnf,
    packages: [...managers.dnf.packages, "firewalld"],
    script: `${managers.dnf.script}\nsystemctl enable firewalld.service`,
  },
  "zypper-nftables": {
    ...managers.zypper,
    packages: [...managers.zypper.packages, "nftables"],
    script: `${managers.zypper.script}\ncat > /etc/nftables.conf << 'END'\n${siteRuleset}END\nsystemctl enable nftables.service`,
  },
};

/** OpenRC in systemd's place, as on Alpine. */
const openrcBare: ImageRecipe = {
  release: "bookworm",
  packages: ["sysvinit-core", "openrc", "openssh-server", "sudo", "iproute2"],
  script: "",
};

const openrc: ImageRecipe = {
  from: "openrc-bare",
  packages: familyBase,
  script: `
    ${tinyImage()}
    ${systemScript("openrc-base.sh")}
    cat > /sbin/apk << 'END_OF_APK'
${systemScript("apk-stand-in.sh")}
END_OF_APK
    chmod 755 /sbin/apk
    ${systemScript("forget-debian.sh")}
  `,
};

function systemScript(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

export const systemRecipes: Readonly<Record<string, ImageRecipe>> = {
  ...managers,
  ...firewalled,
  "family-packager": familyPackager,
  "openrc-bare": openrcBare,
  openrc,
};
