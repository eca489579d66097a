# What told of Debian goes, its package manager first. Runs last when an image is built, by `sh -eu`.
rm -rf /etc/apt /var/lib/apt /var/cache/apt /var/lib/dpkg /etc/dpkg /etc/debian_version /etc/os-release /usr/lib/os-release /etc/issue*
rm -f /usr/bin/apt* /usr/bin/dpkg* /usr/sbin/dpkg* /usr/bin/update-alternatives
