# Makes a host of OpenRC's: sysvinit starts it as Alpine's init does, and it starts sshd. Runs when the image is built, by `sh -eu`.
cat > /etc/inittab << 'END'
id:3:initdefault:
si::sysinit:/sbin/openrc sysinit
rc::bootwait:/sbin/openrc boot
l3:3:wait:/sbin/openrc default
l0:0:wait:/sbin/openrc shutdown
l6:6:wait:/sbin/openrc reboot
END
rm -f /etc/runlevels/*/* /etc/ssh/ssh_host_*
mkdir -p /etc/runlevels/sysinit /etc/runlevels/boot /etc/runlevels/default /etc/conf.d
ln -s /etc/init.d/ssh /etc/runlevels/default/ssh
ln -s /etc/init.d/cgroups /etc/runlevels/sysinit/cgroups
ln -s /etc/init.d/sysfs /etc/runlevels/sysinit/sysfs
# It is a machine, whatever it runs in.
printf 'rc_sys=""\nrc_cgroup_mode="legacy"\nunicode="YES"\n' > /etc/rc.conf
# The engine mounts it.
printf '#!/sbin/openrc-run\ndepend() { before cgroups; }\nstart() { return 0; }\n' > /etc/init.d/sysfs
chmod 755 /etc/init.d/sysfs
# Debian leaves OpenRC's start-stop-daemon out for dpkg's, which has another word for the log. It keeps no count of processes
# for OpenRC, so no service is "crashed".
cat > /lib/rc/sbin/start-stop-daemon << 'END'
#!/bin/sh
left=$#
while [ "$left" -gt 0 ]; do
  case $1 in
    --) while [ "$left" -gt 0 ]; do set -- "$@" "$1"; shift; left=$((left - 1)); done ;;
    --stderr) shift 2; left=$((left - 2)) ;;
    --stdout) set -- "$@" --output "$2"; shift 2; left=$((left - 2)) ;;
    *) set -- "$@" "$1"; shift; left=$((left - 1)) ;;
  esac
done
exec /sbin/start-stop-daemon "$@"
END
chmod 755 /lib/rc/sbin/start-stop-daemon
mkdir -p /run/sshd /lib/apk/db /etc/ssl
# The base, in the database of the stand-in for apk.
printf '%s\n' 'alpine-baselayout 3.6.5-r0' 'busybox 1.36.1-r29' 'musl 1.2.5-r0' 'openrc 0.54-r1' 'openssh-server 9.7_p1-r4' > /lib/apk/db/installed
ln -sf ../ssl/certs/ca-certificates.crt /etc/ssl/cert.pem
# The shell of Alpine, and its tools where scripts come by: of Debian's two builds of busybox the one that, as Alpine's, runs
# the programs on PATH and not its own in their place. OpenRC keeps its start-stop-daemon.
(cd /tmp && apt-get -qq download busybox && dpkg-deb --extract busybox_*.deb busybox)
cp /tmp/busybox/bin/busybox /bin/busybox
# Cron is in the other build alone. Nothing starts it.
(cd /tmp && apt-get -qq download busybox-static && dpkg-deb --extract busybox-static_*.deb busybox-static)
cp /tmp/busybox-static/bin/busybox /usr/lib/busybox-with-cron
ln -s /usr/lib/busybox-with-cron /usr/sbin/crond
mkdir -p /etc/crontabs
echo '0 2 * * * run-parts /etc/periodic/daily' > /etc/crontabs/root
ln -sf busybox /bin/sh
for tool in awk base64 basename cat chgrp chmod chown cmp cp cut date dd df diff dirname du egrep env expr fgrep find grep gunzip gzip head id \
  install ln ls md5sum mkdir mkfifo mktemp mv nproc od pidof pgrep printf ps readlink realpath rm rmdir sed seq sha256sum sleep sort stat tail \
  tar tee timeout touch tr uname uniq wc wget which xargs; do
  ! /bin/busybox --list | grep -qx "$tool" || ln -s /bin/busybox "/usr/local/bin/$tool"
done
