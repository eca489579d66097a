# Makes /repository: Docker's repositories for RPM systems, and those of the distributions themselves, as a lab needs them.
# Runs after engine-binaries.sh in a container of the image "family-packager". Engines are Debian's; names, versions,
# dependencies, conflicts and scriptlets are those of Docker's and the distributions' spec files.
#
#   linux/centos/9/x86_64/stable, linux/fedora/41/…    docker-ce, docker-ce-cli, containerd.io; for el9 in two versions
#   before/…                                            what a repository said of itself before the newer version came
#   expired/…                                           what it says of itself, signed by a key that has expired
#   system/el9, system/fc41, system/amzn2023, …        what the distribution itself has; system/*/modular its modules

arch=$(uname -m)
older=bullseye
newer=bookworm
export GNUPGHOME=$work/gnupg

# pack FOLDER NAME VERSION RELEASE < rest of the spec: an RPM of $work/root. What lies in /etc is configuration.
pack() {
  mkdir -p "$1" "$work/root"
  {
    printf 'Name: %s\nVersion: %s\nRelease: %s\nSummary: %s (for tests)\nLicense: Apache-2.0\nAutoReqProv: no\n' "$2" "$3" "$4" "$2"
    cat
    echo '%files'
    (cd "$work/root" && find . ! -type d | sed -n 's/^\.\(\/etc\/.*\)/%config(noreplace) \1/p; /^\.\/etc\//d; s/^\.//p')
  } > "$work/spec"
  rpmbuild --quiet -bb --buildroot "$work/root" --define "_rpmdir $1" --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
    --define '_binary_payload w1.zstdio' --define '__os_install_post %{nil}' --define "_topdir $work/rpmbuild" "$work/spec" > "$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  rm -rf "$work/root"
}

description='%description
For tests.'

# Scriptlets of %systemd_post and its like: presets decide, and those of Red Hat's family start no engine.
systemd_scriptlets() {
  printf '%%post\nif [ $1 -eq 1 ] && command -v systemctl > /dev/null; then systemctl --no-reload preset %s || :; fi\n' "$*"
  printf '%%preun\nif [ $1 -eq 0 ] && command -v systemctl > /dev/null; then systemctl --no-reload disable --now %s || :; fi\n' "$*"
  printf '%%postun\nif [ $1 -ge 1 ] && command -v systemctl > /dev/null; then systemctl daemon-reload; systemctl try-restart %s || :; fi\n' "$1"
}

containerd_files() {
  for name in containerd containerd-shim-runc-v2 ctr; do place "$work/$1/tree" "bin/$name" "$work/root/usr/bin/$name" 755; done
  place "$work/$1/tree" lib/systemd/system/containerd.service "$work/root/usr/lib/systemd/system/containerd.service" 644
}

engine_files() {
  place "$work/$1/tree" sbin/dockerd "$work/root/usr/bin/dockerd" 755
  place "$work/$1/tree" sbin/docker-proxy "$work/root/usr/bin/docker-proxy" 755
  place "$work/$1/tree" bin/tini-static "$work/root/usr/bin/docker-init" 755
}

# unit EXEC_START [LINE…]: docker.service as upstream has it, with other lines of [Service].
unit() {
  mkdir -p "$work/root/usr/lib/systemd/system"
  {
    printf '[Unit]\nDescription=Docker Application Container Engine\nAfter=network-online.target containerd.service\nWants=network-online.target containerd.service\n'
    printf '\n[Service]\nType=notify\nExecStart=%s\nExecReload=/bin/kill -s HUP $MAINPID\nTimeoutStartSec=0\nRestartSec=2\n' "$1"
    shift
    printf '%s\n' "$@" Restart=on-failure LimitNOFILE=infinity LimitNPROC=infinity Delegate=yes KillMode=process
    printf '\n[Install]\nWantedBy=multi-user.target\n'
  } > "$work/root/usr/lib/systemd/system/docker.service"
}

socket() {
  printf '[Unit]\nDescription=Docker Socket for the API\n\n[Socket]\nListenStream=/run/docker.sock\nSocketMode=0660\nSocketUser=root\nSocketGroup=docker\n\n[Install]\nWantedBy=sockets.target\n' \
    > "$work/root/usr/lib/systemd/system/docker.socket"
}

group_scriptlet='%pre
getent group docker > /dev/null || groupadd --system docker'

# docker_ce FOLDER TAG RELEASE: Docker's own packages of the engine of a release.
docker_ce() {
  folder=$1 tag=$2 engine=$(upstream_version "$3" docker.io) containerd=$(upstream_version "$3" containerd)

  containerd_files "$3"
  place "$work/$3/tree" sbin/runc "$work/root/usr/bin/runc" 755
  mkdir -p "$work/root/etc/containerd"
  echo 'disabled_plugins = ["cri"]' > "$work/root/etc/containerd/config.toml"
  pack "$folder" containerd.io "$containerd" "3.1.$tag" << END
Requires: container-selinux >= 2:2.74, libseccomp
Provides: containerd$([ "$tag" = el8 ] || printf ', runc')
Obsoletes: containerd, runc
Conflicts: containerd, runc
$description
$(systemd_scriptlets containerd.service)
END

  place "$work/$3/tree" bin/docker "$work/root/usr/bin/docker" 755
  pack "$folder" docker-ce-cli "$engine" "1.$tag" << END
Epoch: 1
Requires: /bin/sh, /usr/sbin/groupadd
Recommends: docker-buildx-plugin, docker-compose-plugin
Conflicts: docker, docker-io, docker-engine-cs, docker-ee, docker-ee-cli
$description
END

  # The same beside every engine: one file each. Of an older system's there may be fewer.
  for plugin in buildx compose; do
    [ "$tag/$plugin" != el8/compose ] || continue
    [ ! -e "$folder/docker-$plugin-plugin-0.17.1-1.$tag.$arch.rpm" ] || continue
    mkdir -p "$work/root/usr/libexec/docker/cli-plugins"
    printf '#!/bin/sh\n' > "$work/root/usr/libexec/docker/cli-plugins/docker-$plugin"
    pack "$folder" "docker-$plugin-plugin" 0.17.1 "1.$tag" << END
$description
END
  done

  engine_files "$3"
  unit '/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock'
  sed -i -e 's/^After=.*/& docker.socket/' -e 's/^Wants=.*/&\nRequires=docker.socket/' "$work/root/usr/lib/systemd/system/docker.service"
  socket
  pack "$folder" docker-ce "$engine" "3.$tag" << END
Epoch: 3
Requires: /usr/sbin/groupadd, docker-ce-cli, containerd.io >= 1.4.1, container-selinux >= 2:2.74, libseccomp >= 2.3, systemd, iptables, tar, xz
Requires: device-mapper-libs >= 1.02.90-1
Conflicts: docker, docker-io, docker-engine-cs, docker-ee
Obsoletes: docker-ce-selinux, docker-engine-selinux, docker-engine
$description
$group_scriptlet
$(systemd_scriptlets docker.service)
END
}

# What every distribution has beside an engine.
common() {
  folder=$1 tag=$2
  pack "$folder" container-selinux 2.229.0 "2.$tag" << END
Epoch: 2
BuildArch: noarch
$description
END
  place_iptables "$work/$newer/tree" /usr/sbin
  # Whoever wants a package manager to stay at work for a while makes the file.
  pack "$folder" "$3" 1.8.9 "2.$tag" << END
Provides: iptables = 1.8.9
$description
%post
while [ -e /run/hold-package ]; do sleep 0.1; done
END
}

# site_policy FOLDER TAG CONFLICT: a package of the system's that pins another, as redhat-release-server did with initscripts.
site_policy() {
  pack "$1" site-policy 1.0 "1.$2" << END
BuildArch: noarch
Conflicts: $3
$description
END
}

runc_and_containerd() {
  place "$work/$3/tree" sbin/runc "$work/root/usr/bin/runc" 755
  pack "$1" runc "$(upstream_version "$3" runc)" "1.$2" << END
Requires: libseccomp
$description
END
  containerd_files "$3"
  pack "$1" containerd "$(upstream_version "$3" containerd)" "1.$2" << END
Requires: runc >= 1.0
$description
$(systemd_scriptlets containerd.service)
END
}

# Podman in the engine's place, as Red Hat has it; two programs stand for it.
podman() {
  mkdir -p "$work/root/usr/bin"
  printf '#!/bin/sh\necho "podman version 4.9.4"\n' > "$work/root/usr/bin/podman"
  chmod 755 "$work/root/usr/bin/podman"
  pack "$1" podman 4.9.4 "1.$2" << END
Epoch: 4
Requires: (runc or crun)
$description
END
  mkdir -p "$work/root/usr/bin"
  printf '#!/bin/sh\nexec podman "$@"\n' > "$work/root/usr/bin/docker"
  chmod 755 "$work/root/usr/bin/docker"
  pack "$1" podman-docker 4.9.4 "1.$2" << END
Epoch: 4
BuildArch: noarch
Requires: podman = 4:4.9.4-1.$2
Conflicts: docker, docker-latest, docker-ce, docker-ee, moby-engine
$description
END
  pack "$1" buildah 1.33.7 "1.$2" << END
Epoch: 2
Requires: runc >= 1.0.0-26
$description
END
}

# system_el FOLDER TAG: Red Hat's and its rebuilds'.
system_el() {
  common "$1" "$2" iptables-nft
  place "$work/$newer/tree" sbin/runc "$work/root/usr/bin/runc" 755
  pack "$1" runc 1.1.12 "1.$2" << END
Epoch: 4
Requires: libseccomp
$description
END
  podman "$1" "$2"
  site_policy "$1" "$2" 'container-selinux > 2:2.100'
}

system_fedora() {
  common "$1" "$2" iptables-nft
  for release in $older $newer; do
    runc_and_containerd "$1" "$2" "$release"
    moby_engine "$1" "$2" "$release"
    [ "$release" = "$newer" ] || index_before "$1" system@localhost
  done
  podman "$1" "$2"
}

# Fedora's: client and engine apart, settings in /etc/sysconfig.
moby_engine() {
  place "$work/$3/tree" bin/docker "$work/root/usr/bin/docker" 755
  pack "$1" docker-cli "$(upstream_version "$3" docker.io)" "1.$2" << END
Conflicts: docker-ce-cli
$description
END
  engine_files "$3"
  mkdir -p "$work/root/etc/sysconfig" "$work/root/usr/libexec/docker"
  mv "$work/root/usr/bin/docker-init" "$work/root/usr/bin/docker-proxy" "$work/root/usr/libexec/docker/"
  printf "OPTIONS=\"--selinux-enabled \\\\\n  --log-driver=journald \\\\\n  --live-restore \\\\\n  --default-ulimit nofile=1024:1024 \\\\\n  --init-path /usr/libexec/docker/docker-init \\\\\n  --userland-proxy-path /usr/libexec/docker/docker-proxy \\\\\n\"\n" \
    > "$work/root/etc/sysconfig/docker"
  unit '/usr/bin/dockerd --host=fd:// --exec-opt native.cgroupdriver=systemd $OPTIONS' 'EnvironmentFile=-/etc/sysconfig/docker'
  sed -i -e 's/^After=.*/& docker.socket/' -e 's/^Wants=.*/&\nRequires=docker.socket/' "$work/root/usr/lib/systemd/system/docker.service"
  socket
  pack "$1" moby-engine "$(upstream_version "$3" docker.io)" "2.$2" << END
Requires: docker-cli, containerd, runc, iptables, container-selinux, systemd, tar, xz
Provides: docker = $(upstream_version "$3" docker.io)-2.$2
Conflicts: docker-ce, podman-docker
$description
$group_scriptlet
$(systemd_scriptlets docker.service docker.socket)
END
}

# Amazon Linux: one package, settings in /etc/sysconfig. Containers get 65536 open files, or as many as this computer may
# give: without CAP_SYS_RESOURCE its own bound is the most that a host of the lab can have.
system_amazon() {
  open_files=$(ulimit -H -n)
  case $open_files in unlimited) open_files=65536 ;; esac
  [ "$open_files" -le 65536 ] || open_files=65536
  common "$1" "$2" iptables-nft
  for release in $older $newer; do
    runc_and_containerd "$1" "$2" "$release"
    engine_files "$release"
    place "$work/$release/tree" bin/docker "$work/root/usr/bin/docker" 755
    mkdir -p "$work/root/etc/sysconfig"
    printf 'DAEMON_MAXFILES=1048576\nOPTIONS="--default-ulimit nofile=%s:%s"\nDAEMON_PIDFILE_TIMEOUT=10\n' $((open_files < 32768 ? open_files : 32768)) "$open_files" \
      > "$work/root/etc/sysconfig/docker"
    unit '/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $OPTIONS' 'EnvironmentFile=-/etc/sysconfig/docker' \
      'EnvironmentFile=-/etc/sysconfig/docker-storage'
    sed -i -e 's/^After=.*/& docker.socket/' -e 's/^Wants=.*/&\nRequires=docker.socket containerd.service/' "$work/root/usr/lib/systemd/system/docker.service"
    socket
    pack "$1" docker "$(upstream_version "$release" docker.io)" "1.$2" << END
Requires: containerd, runc, iptables, systemd, tar, xz
$description
$group_scriptlet
$(systemd_scriptlets docker.service)
END
    [ "$release" = "$newer" ] || index_before "$1" system@localhost
  done
}

# SUSE: containerd in /usr/sbin, settings in /etc/sysconfig and a daemon.json of the package's own.
system_suse() {
  common "$1" "$2" iptables
  for release in $older $newer; do
    place "$work/$release/tree" sbin/runc "$work/root/usr/sbin/runc" 755
    pack "$1" runc "$(upstream_version "$release" runc)" "$2" << END
$description
END
    for name in containerd containerd-shim-runc-v2; do place "$work/$release/tree" "bin/$name" "$work/root/usr/sbin/$name" 755; done
    pack "$1" containerd "$(upstream_version "$release" containerd)" "$2" << END
Requires: runc
$description
END
    engine_files "$release"
    place "$work/$release/tree" bin/docker "$work/root/usr/bin/docker" 755
    mkdir -p "$work/root/etc/sysconfig" "$work/root/etc/docker"
    printf '## Path: System/Management\n## Type: string\n## Default: ""\nDOCKER_OPTS=""\nDOCKER_NETWORK_OPTIONS=""\n' > "$work/root/etc/sysconfig/docker"
    printf '{\n  "log-level": "warn",\n  "log-driver": "json-file",\n  "log-opts": {\n    "max-size": "10m",\n    "max-file": "5"\n  }\n}\n' > "$work/root/etc/docker/daemon.json"
    unit '/usr/bin/dockerd --add-runtime oci=/usr/sbin/runc $DOCKER_NETWORK_OPTIONS $DOCKER_OPTS' 'EnvironmentFile=/etc/sysconfig/docker'
    pack "$1" docker "$(upstream_version "$release" docker.io)_ce" "$2" << END
Requires: containerd >= 1.4, runc, iptables >= 1.4, tar >= 1.26, xz >= 4.9, (apparmor-parser or container-selinux)
Recommends: docker-buildx
Conflicts: lxc < 1.0
$description
$group_scriptlet
$(systemd_scriptlets docker.service)
END
    [ "$release" = "$newer" ] || index_before "$1" system@localhost
  done
  podman "$1" "$2"
  site_policy "$1" "$2" 'containerd > 1.5'
}

# index FOLDER KEY: signs the packages that are new and the description of a repository.
index() {
  find "$1" -name '*.rpm' $([ ! -e "$1/repodata" ] || printf '%s' "-newer $1/repodata/repomd.xml") -print0 | xargs -0 rpmsign --define '__gpg /usr/bin/gpg' --define "_gpg_name $2" --addsign > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  createrepo_c --quiet --general-compress-type=gz "$1"
  gpg --batch --yes --local-user "$2" --armor --detach-sign "$1/repodata/repomd.xml"
  gpg --batch --armor --export "$2" > "$1/repodata/repomd.xml.key"
}

# index_before FOLDER KEY: the same while newer packages are to come; what is there now is kept below /repository/before.
index_before() {
  index "$@"
  mkdir -p "/repository/before${1#/repository}"
  cp -a "$1/repodata" "/repository/before${1#/repository}/"
}

# signed_by_the_expired FOLDER: its description as a key has signed it that is no longer good, below /repository/expired.
signed_by_the_expired() {
  mkdir -p "/repository/expired${1#/repository}/repodata"
  gpg --batch --faked-system-time 20200115T000000 --local-user expired@localhost --armor --output "/repository/expired${1#/repository}/repodata/repomd.xml.asc" \
    --detach-sign "$1/repodata/repomd.xml"
  gpg --batch --armor --export expired@localhost > "/repository/expired${1#/repository}/repodata/repomd.xml.key"
}

# modular FOLDER: the same packages with a module that has a stream of runc, as container-tools of Red Hat 8.
modular() {
  cat > "$work/modules.yaml" << END
---
document: modulemd
version: 2
data:
  name: container-tools
  stream: rhel8
  version: 8090020240201111813
  context: d7b6f4b7
  arch: $arch
  summary: Tools for containers
  description: Tools for containers
  license: {module: [MIT]}
  artifacts:
    rpms:
    - runc-4:1.1.12-1.$2.$arch
...
---
document: modulemd-defaults
version: 1
data:
  module: container-tools
  stream: rhel8
...
END
  modifyrepo_c --mdtype=modules "$work/modules.yaml" "$1/repodata"
  gpg --batch --yes --local-user system@localhost --armor --detach-sign "$1/repodata/repomd.xml"
}

fetch $older
fetch $newer iptables
mkdir -m 700 "$GNUPGHOME"
new_key 'Docker Release (lab)' docker@localhost never
new_key 'Distribution (lab)' system@localhost never
new_key 'Stranger (lab)' stranger@localhost never
new_key 'Expired (lab)' expired@localhost 20200201T000000 --faked-system-time 20200101T000000

for tag in el8 el9 el10 fc41; do
  case $tag in el*) stable=/repository/linux/centos/${tag#el}/$arch/stable ;; *) stable=/repository/linux/fedora/${tag#fc}/$arch/stable ;; esac
  if [ "$tag" = el9 ]; then
    docker_ce "$stable" "$tag" "$older"
    index_before "$stable" docker@localhost
  fi
  docker_ce "$stable" "$tag" "$newer"
  index "$stable" docker@localhost
done
for tag in el8 el9 el10; do
  system_el "/repository/system/$tag" "$tag"
  index "/repository/system/$tag" system@localhost
done
cp -a /repository/system/el9 /repository/system/modular
modular /repository/system/modular el9
system_fedora /repository/system/fc41 fc41
system_amazon /repository/system/amzn2023 amzn2023
system_suse /repository/system/suse 150600.1.1
for tag in fc41 amzn2023 suse; do index "/repository/system/$tag" system@localhost; done
for tag in el9 suse; do signed_by_the_expired "/repository/system/$tag"; done

mkdir /repository/keys
for name in docker system stranger expired; do gpg --batch --armor --export "$name@localhost" > "/repository/keys/$name"; done
for distribution in centos fedora; do cp /repository/keys/docker "/repository/linux/$distribution/gpg"; done
fingerprint_of docker@localhost > /repository/fingerprint
printf '%s\n' "$(upstream_version $older docker.io)" "$(upstream_version $newer docker.io)" > /repository/versions
gpgconf --kill all
rm -rf "$work"
