# Makes /repository: Arch's repository as a lab needs it, in `system/arch`. Runs after engine-binaries.sh and
# pacman-package.sh in a container of the image "family-packager". Engines are Debian's; names, dependencies and conflicts
# are those of Arch's PKGBUILDs.

older=bullseye
newer=bookworm
repository=/repository/system/arch
export GNUPGHOME=$work/gnupg

# pack NAME VERSION < further lines of .PKGINFO: a signed package of $work/root.
pack() {
  file=$repository/$1-$2-x86_64.pkg.tar.zst
  mkdir -p "$work/root"
  pack_pacman "$work/root" "$file" "$1" "$2"
  gpg --batch --yes --local-user system@localhost --detach-sign "$file"
}

# engine RELEASE: docker, containerd and runc. A repository of Arch's has one version of each, so the older ones go.
engine() {
  tree=$work/$1/tree
  place "$tree" sbin/runc "$work/root/usr/bin/runc" 755
  printf 'depend = glibc\ndepend = libseccomp\n' | pack runc "$(upstream_version "$1" runc)-1"

  for name in containerd containerd-shim-runc-v2 ctr; do place "$tree" "bin/$name" "$work/root/usr/bin/$name" 755; done
  place "$tree" lib/systemd/system/containerd.service "$work/root/usr/lib/systemd/system/containerd.service" 644
  printf 'depend = runc\n' | pack containerd "$(upstream_version "$1" containerd)-1"

  place "$tree" bin/docker "$work/root/usr/bin/docker" 755
  place "$tree" sbin/dockerd "$work/root/usr/bin/dockerd" 755
  place "$tree" sbin/docker-proxy "$work/root/usr/bin/docker-proxy" 755
  place "$tree" bin/tini-static "$work/root/usr/bin/docker-init" 755
  place "$tree" lib/systemd/system/docker.socket "$work/root/usr/lib/systemd/system/docker.socket" 644
  place "$tree" lib/systemd/system/docker.service "$work/root/usr/lib/systemd/system/docker.service" 644
  sed -i -e '/^EnvironmentFile=/d' -e 's#^ExecStart=.*#ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock#' \
    "$work/root/usr/lib/systemd/system/docker.service"
  mkdir -p "$work/root/usr/lib/sysusers.d"
  echo 'g docker - - -' > "$work/root/usr/lib/sysusers.d/docker.conf"
  # What Arch's own systemd does by hooks of pacman.
  cat > "$work/root/.INSTALL" << 'END'
post_install() { systemd-sysusers docker.conf; systemctl daemon-reload; }
post_upgrade() { systemctl daemon-reload; }
post_remove() { systemctl daemon-reload; }
END
  pack docker "1:$(upstream_version "$1" docker.io)-1" << 'END'
depend = bridge-utils
depend = containerd
depend = iproute2
depend = device-mapper
depend = sqlite
depend = systemd-libs
depend = libseccomp
depend = runc
depend = iptables
END
}

common() {
  place_iptables "$work/$newer/tree" /usr/bin
  # Whoever wants the package manager to stay at work for a while makes the file.
  echo 'post_install() { while [ -e /run/hold-package ]; do sleep 0.1; done; }' > "$work/root/.INSTALL"
  printf 'depend = glibc\n' | pack iptables 1:1.8.9-1

  mkdir -p "$work/root/usr/bin"
  printf '#!/bin/sh\necho "podman version 5.2.5"\n' > "$work/root/usr/bin/podman"
  chmod 755 "$work/root/usr/bin/podman"
  printf 'depend = glibc\n' | pack podman 5.2.5-1
  mkdir -p "$work/root/usr/bin"
  printf '#!/bin/sh\nexec podman "$@"\n' > "$work/root/usr/bin/docker"
  chmod 755 "$work/root/usr/bin/docker"
  printf 'conflict = docker\nprovides = docker\ndepend = podman\n' | pack podman-docker 5.2.5-1
  mkdir -p "$work/root/etc"
  echo pinned > "$work/root/etc/site-policy"
  printf 'conflict = containerd\n' | pack site-policy 1.0-1
}

# index FOLDER FILE…: the signed database of a repository, with these packages in it.
index() {
  database=$1/core.db.tar.gz
  shift
  repo-add --quiet --sign --key system@localhost "$database" "$@"
}

# signed_by_the_expired PACKAGE: the repository with this package as a key has signed it that is no longer good.
signed_by_the_expired() {
  expired=/repository/expired/system/arch
  mkdir -p "$expired"
  cp "$1" "$expired"
  cp -L "$repository"/core.* "$expired"
  gpg --batch --faked-system-time 20200115T000000 --local-user expired@localhost --detach-sign "$expired/${1##*/}"
  index "$expired" "$expired/${1##*/}"
}

fetch $older
fetch $newer iptables
mkdir -m 700 "$GNUPGHOME"
new_key 'Distribution (lab)' system@localhost never
new_key 'Stranger (lab)' stranger@localhost never
new_key 'Expired (lab)' expired@localhost 20200201T000000 --faked-system-time 20200101T000000
mkdir -p "$repository" /repository/before/system/arch /repository/keys

common
engine $older
index "$repository" "$repository"/*.pkg.tar.zst
cp -L "$repository"/core.db* "$repository"/core.files* /repository/before/system/arch/
ls "$repository"/*.zst > "$work/before"
engine $newer
index "$repository" $(ls "$repository"/*.zst | grep -vxFf "$work/before")
signed_by_the_expired "$(ls "$repository"/runc-*.zst | grep -vxFf "$work/before")"

for name in system stranger expired; do gpg --batch --armor --export "$name@localhost" > "/repository/keys/$name"; done
fingerprint_of system@localhost > /repository/fingerprint
printf '%s\n' "$(upstream_version $older docker.io)" "$(upstream_version $newer docker.io)" > /repository/versions
gpgconf --kill all
rm -rf "$work"
