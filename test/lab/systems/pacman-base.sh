# Registers the base in pacman's database, under the names that it has on Arch. Runs after pacman-package.sh when the image is
# built, by `sh -eu`.
folder=$(mktemp -d)
base() {
  mkdir -p "$folder/root"
  pack_pacman "$folder/root" "$folder/$1-$2-x86_64.pkg.tar.zst" "$1" "$2" < /dev/null
}
base glibc 2.36-1
base bash 5.2-1
base systemd 252-1
base systemd-libs 252-1
base libseccomp 2.5.4-1
base device-mapper 2.03.16-1
base iproute2 6.1-1
base sqlite 3.40-1
base bridge-utils 1.7-1
base curl 7.88-1
base tar 1.34-1
base xz 5.4-1
base ca-certificates 20230311-1
base openssh 9.2-1
base sudo 1.9.13-1
base shadow 4.13-1
base pacman 6.0.2-1
mkdir -p /var/lib/pacman /etc/pacman.d
: > /etc/pacman.d/mirrorlist
printf '[options]\nHoldPkg = pacman glibc\nArchitecture = auto\nSigLevel = Required DatabaseOptional\nLocalFileSigLevel = Optional\n' > /etc/pacman.conf
pacman -U --dbonly --noconfirm "$folder"/*.zst > /dev/null
printf '[options]\nHoldPkg = pacman glibc\nArchitecture = auto\nCheckSpace\nParallelDownloads = 5\nSigLevel = Required DatabaseOptional\nLocalFileSigLevel = Optional\n\n[core]\nInclude = /etc/pacman.d/mirrorlist\n' > /etc/pacman.conf
# They stay, for tests that take one out of the database for a while.
mkdir -p /usr/local/share/lab/base
mv "$folder"/*.zst /usr/local/share/lab/base
pacman-key --init > "$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
rm -rf "$folder"
gpgconf --homedir /etc/pacman.d/gnupg --kill all
ln -sf ../proc/self/mounts /etc/mtab
ln -sf ../ssl/certs/ca-certificates.crt /etc/ssl/cert.pem
