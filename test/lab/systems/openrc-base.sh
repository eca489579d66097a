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
# It is a machine, whatever it runs in.
printf 'rc_sys=""\nrc_cgroup_mode="legacy"\nunicode="YES"\n' > /etc/rc.conf
# The engine mounts it.
printf '#!/sbin/openrc-run\ndepend() { before cgroups; }\nstart() { return 0; }\n' > /etc/init.d/sysfs
chmod 755 /etc/init.d/sysfs
mkdir -p /run/sshd /lib/apk/db /etc/ssl
ln -sf ../ssl/certs/ca-certificates.crt /etc/ssl/cert.pem
# The shell of Alpine.
ln -sf busybox /bin/sh
