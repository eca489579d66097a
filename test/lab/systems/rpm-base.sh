# Makes an RPM system of a Debian one: Debian's own package manager goes, and the base is registered in RPM's database under
# the names that it has on Red Hat's family and SUSE. Runs when the image is built, by `sh -eu`.

# Debian keeps it in the home of whoever asks.
mkdir -p /etc/rpm /var/lib/rpm
echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros

# base NAME VERSION [PROVIDES]: a package without files.
base() {
  printf '%%package -n %s\nVersion: %s\nRelease: 1\nSummary: %s\nProvides: %s\n' "$1" "$2" "$1" "$1 = $2${3:+, $3}"
  printf '%%description -n %s\nOf the base.\n%%files -n %s\n' "$1" "$1"
}

folder=$(mktemp -d)
{
  printf 'Name: base\nVersion: 1\nRelease: 1\nSummary: The base\nLicense: none\nAutoReqProv: no\n%%description\nOf the base.\n'
  base bash 5.1.8 '/bin/sh, /usr/bin/sh, /bin/bash'
  base glibc 2.36 'libc.so.6()(64bit), rtld(GNU_HASH)'
  base systemd 252 'systemd-libs = 252, /usr/bin/systemctl'
  base shadow-utils 4.13 '/usr/sbin/groupadd, /usr/sbin/useradd'
  base device-mapper-libs 1.02.185
  base libseccomp 2.5.4
  base curl 7.88.1
  base ca-certificates 2023.2
  base openssh-server 9.2
  base sudo 1.9.13
  base iproute 6.1
  base tar 1.34
  base gzip 1.12
  base xz 5.4.1
  base apparmor-parser 3.0
} > "$folder/spec"
mkdir "$folder/root"
rpmbuild --quiet -bb --buildroot "$folder/root" --define "_rpmdir $folder/packages" --define "_topdir $folder/top" "$folder/spec" 2> /dev/null
# They stay, for tests that take one out of the database for a while.
mkdir -p /usr/local/share/lab/base
find "$folder/packages" -name '*.rpm' -exec mv {} /usr/local/share/lab/base ';'
rpm -i --justdb --nodeps /usr/local/share/lab/base/*.rpm
rm -rf "$folder"

mkdir -p /etc/pki/rpm-gpg /etc/pki/tls/certs /etc/sysconfig /etc/selinux
ln -s /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt
printf 'SELINUX=enforcing\nSELINUXTYPE=targeted\n' > /etc/selinux/config
# As on Red Hat's family and SUSE, a package that comes starts nothing.
printf 'enable ssh.service\nenable dbus.*\nenable firewalld.service\n' > /usr/lib/systemd/system-preset/10-base.preset
echo 'disable *' > /usr/lib/systemd/system-preset/99-default-disable.preset
