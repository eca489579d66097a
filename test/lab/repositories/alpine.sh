# Makes /repository: Alpine's main and community as the lab's stand-in for apk reads them, in `system/alpine`. Runs after
# engine-binaries.sh in a container of the image "family-packager". Engines are Debian's; names, dependencies and the init
# script's words are those of Alpine's packages.

older=bullseye
newer=bookworm
export GNUPGHOME=$work/gnupg

# pack REPOSITORY NAME VERSION DEPENDENCY…: a package of $work/root, and its line of the index.
pack() {
  folder=/repository/system/alpine/$1/x86_64
  mkdir -p "$folder" "$work/root"
  tar -C "$work/root" --owner=0 --group=0 -cf - . | gzip -1 > "$folder/$2-$3.apk"
  shift
  echo "$*" >> "$folder/APKINDEX"
  rm -rf "$work/root"
}

init_script() {
  mkdir -p "$work/root/etc/init.d" "$work/root/etc/conf.d"
  cat > "$work/root/etc/init.d/docker" << 'END'
#!/sbin/openrc-run

command="${DOCKERD_BINARY:-/usr/bin/dockerd}"
pidfile="${DOCKER_PIDFILE:-/run/${RC_SVCNAME}.pid}"
command_args="-p \"${pidfile}\" ${DOCKER_OPTS}"
DOCKER_LOGFILE="${DOCKER_LOGFILE:-/var/log/${RC_SVCNAME}.log}"
start_stop_daemon_args="--background --stderr \"${DOCKER_LOGFILE}\" --stdout \"${DOCKER_LOGFILE}\""
rc_ulimit="${DOCKER_ULIMIT:--c unlimited -n 1048576 -u unlimited}"
retry="${DOCKER_RETRY:-TERM/60/KILL/10}"

depend() {
  need sysfs cgroups
  after firewall
}

start_pre() {
  checkpath -f -m 0644 -o root:docker "$DOCKER_LOGFILE"
}
END
  chmod 755 "$work/root/etc/init.d/docker"
  printf '# Any random options you want to pass to docker\nDOCKER_OPTS=""\n' > "$work/root/etc/conf.d/docker"
}

engine() {
  tree=$work/$1/tree
  version=$(upstream_version "$1" docker.io)-r0
  place "$tree" sbin/runc "$work/root/usr/bin/runc" 755
  pack community runc "$(upstream_version "$1" runc)-r0"
  for name in containerd containerd-shim-runc-v2 ctr; do place "$tree" "bin/$name" "$work/root/usr/bin/$name" 755; done
  pack community containerd "$(upstream_version "$1" containerd)-r0" runc
  place "$tree" bin/docker "$work/root/usr/bin/docker" 755
  pack community docker-cli "$version"
  place "$tree" sbin/dockerd "$work/root/usr/bin/dockerd" 755
  place "$tree" sbin/docker-proxy "$work/root/usr/bin/docker-proxy" 755
  place "$tree" bin/tini-static "$work/root/usr/bin/docker-init" 755
  echo 'getent group docker > /dev/null || groupadd -r docker' > "$work/root/.pre-install"
  pack community docker-engine "$version" containerd iptables
  init_script
  pack community docker-openrc "$version"
  pack community docker "$version" docker-engine docker-cli docker-openrc
}

fetch $older
fetch $newer iptables
mkdir -m 700 "$GNUPGHOME"
new_key 'Distribution (lab)' system@localhost never
place_iptables "$work/$newer/tree" /usr/sbin
pack main iptables 1.8.9-r0
engine $older
mkdir -p /repository/before/system/alpine/community/x86_64 /repository/keys
cp /repository/system/alpine/community/x86_64/APKINDEX /repository/before/system/alpine/community/x86_64/
engine $newer
gpg --batch --armor --export system@localhost > /repository/keys/system
fingerprint_of system@localhost > /repository/fingerprint
printf '%s\n' "$(upstream_version $older docker.io)" "$(upstream_version $newer docker.io)" > /repository/versions
gpgconf --kill all
rm -rf "$work"
