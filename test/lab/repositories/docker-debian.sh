# Makes /repository: Docker's repository for Debian as a lab needs it. Runs after engine-binaries.sh in a container of the
# image "packager".

releases="bullseye bookworm trixie"

number_of() {
  case $1 in bullseye) echo 11 ;; bookworm) echo 12 ;; trixie) echo 13 ;; esac
}

# What a package of Debian needs besides what is repacked here.
libraries_of() {
  field "$1" "$2" Depends | tr ',' '\n' | sed 's/^ *//' | grep -E '^lib' | paste -sd, | sed 's/,/, /g'
}

# pack SUITE NAME VERSION < control fields: builds a .deb of $work/root into the suite.
pack() {
  pool=/repository/linux/debian/dists/$1/pool/stable/$architecture
  mkdir -p "$pool" "$work/root/DEBIAN"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$2" "$3" "$architecture"
    printf 'Maintainer: The lab <lab@localhost>\nSection: admin\nPriority: optional\n'
    cat
  } > "$work/root/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/root" "$pool/$2_${3#*:}_$architecture.deb" > /dev/null
  rm -rf "$work/root"
}

# maintain PREPARE UNIT…: scripts as debhelper writes them, which run PREPARE and start the units.
maintain() {
  prepare=$1
  shift
  mkdir -p "$work/root/DEBIAN"
  cat > "$work/root/DEBIAN/postinst" << END
#!/bin/sh
set -e
if [ "\$1" = configure ]; then
  $prepare
  deb-systemd-helper enable $* > /dev/null
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload
    if [ -n "\$2" ]; then deb-systemd-invoke restart $*; else deb-systemd-invoke start $*; fi
  fi
fi
END
  cat > "$work/root/DEBIAN/prerm" << END
#!/bin/sh
set -e
if [ -d /run/systemd/system ] && [ "\$1" = remove ]; then deb-systemd-invoke stop $*; fi
END
  chmod 755 "$work/root/DEBIAN/postinst" "$work/root/DEBIAN/prerm"
}

# add SUITE RELEASE: the engine of a release into a suite, the same or a later one.
add() {
  suite=$1
  release=$2
  tree=$work/$release/tree
  ending="1~debian.$(number_of "$suite")~$suite"
  engine="5:$(upstream_version "$release" docker.io)-$ending"
  containerd="$(upstream_version "$release" containerd)-$ending"
  others="docker.io, docker-engine, lxc-docker"

  for name in containerd containerd-shim-runc-v2 ctr; do place "$tree" "bin/$name" "$work/root/usr/bin/$name" 755; done
  place "$tree" sbin/runc "$work/root/usr/bin/runc" 755
  place "$tree" lib/systemd/system/containerd.service "$work/root/lib/systemd/system/containerd.service" 644
  mkdir -p "$work/root/etc/containerd"
  echo 'disabled_plugins = ["cri"]' > "$work/root/etc/containerd/config.toml"
  echo /etc/containerd/config.toml > "$work/conffiles"
  maintain : containerd.service
  mv "$work/conffiles" "$work/root/DEBIAN/conffiles"
  pack "$suite" containerd.io "$containerd" << END
Depends: $(libraries_of "$release" containerd), $(libraries_of "$release" runc)
Provides: containerd, runc
Conflicts: containerd, runc
Replaces: containerd, runc
Description: open and reliable container runtime (Debian's build, for tests)
END

  place "$tree" bin/docker "$work/root/usr/bin/docker" 755
  pack "$suite" docker-ce-cli "$engine" << END
Depends: libc6
Conflicts: $others, docker-cli
Replaces: $others, docker-cli
Description: command line of the Docker engine (Debian's build, for tests)
END

  place "$tree" sbin/dockerd "$work/root/usr/bin/dockerd" 755
  place "$tree" sbin/docker-proxy "$work/root/usr/bin/docker-proxy" 755
  place "$tree" bin/tini-static "$work/root/usr/bin/docker-init" 755
  place "$tree" lib/systemd/system/docker.socket "$work/root/lib/systemd/system/docker.socket" 644
  place "$tree" lib/systemd/system/docker.service "$work/root/lib/systemd/system/docker.service" 644
  # Where Docker's packages have it, and without Debian's /etc/default/docker.
  sed -i -e '/^EnvironmentFile=/d' -e 's#^ExecStart=.*#ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock#' \
    "$work/root/lib/systemd/system/docker.service"
  maintain 'getent group docker > /dev/null || groupadd --system docker' docker.socket docker.service
  pack "$suite" docker-ce "$engine" << END
Depends: $(libraries_of "$release" docker.io), containerd.io, docker-ce-cli, iptables
Conflicts: $others
Replaces: $others
Description: the Docker engine (Debian's build, for tests)
END
  echo "$engine" >> "/repository/linux/debian/dists/$suite/versions"
}

# archive RELEASE: the binaries as Docker's own archives have them. These are not static: they want
# libdevmapper1.02.1, libseccomp2 and libsystemd0 on the host.
archive() {
  tree=$work/$1/tree
  folder=/repository/linux/static/stable/$(uname -m)
  mkdir -p "$folder"
  for name in containerd containerd-shim-runc-v2 ctr docker; do place "$tree" "bin/$name" "$work/docker/$name" 755; done
  for name in dockerd docker-proxy runc; do place "$tree" "sbin/$name" "$work/docker/$name" 755; done
  place "$tree" bin/tini-static "$work/docker/docker-init" 755
  tar -C "$work" --owner=0 --group=0 -cf - docker | gzip -1 > "$folder/docker-$(upstream_version "$1" docker.io).tgz"
  rm -rf "$work/docker"
}

index() {
  suite=$1
  cd /repository/linux/debian
  packages=dists/$suite/stable/binary-$architecture
  mkdir -p "$packages"
  apt-ftparchive packages "dists/$suite/pool" > "$packages/Packages"
  gzip --keep "$packages/Packages"
  apt-ftparchive -o APT::FTPArchive::Release::Origin=Docker -o "APT::FTPArchive::Release::Label=Docker CE" \
    -o "APT::FTPArchive::Release::Suite=$suite" -o "APT::FTPArchive::Release::Codename=$suite" \
    -o APT::FTPArchive::Release::Components=stable -o "APT::FTPArchive::Release::Architectures=$architecture" \
    release "dists/$suite" > "$work/Release"
  mv "$work/Release" "dists/$suite/Release"
  gpg --batch --yes --clearsign --digest-algo SHA512 --output "dists/$suite/InRelease" "dists/$suite/Release"
  gpg --batch --yes --armor --detach-sign --digest-algo SHA512 --output "dists/$suite/Release.gpg" "dists/$suite/Release"
}

for release in $releases; do fetch "$release"; done
add bullseye bullseye
add bookworm bullseye
add bookworm bookworm
add trixie bookworm
add trixie trixie
archive bookworm

export GNUPGHOME=$work/gnupg
mkdir -m 700 "$GNUPGHOME"
new_key 'Docker Release (lab)' lab@localhost never
for release in $releases; do index "$release"; done
gpg --batch --armor --export > /repository/linux/debian/gpg
fingerprint_of lab@localhost > /repository/fingerprint
gpgconf --kill all
rm -rf "$work"
