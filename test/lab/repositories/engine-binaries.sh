# Engines to make packages of: those of Debian's releases, as root in a container of the image "packager" or
# "family-packager", with the sources.list of each release in SOURCES_<release>.

architecture=$(dpkg --print-architecture)
work=/var/tmp/work
mkdir -p "$work"

# fetch RELEASE PACKAGE…: packages of a release, unpacked into one tree, those of the engine among them.
fetch() {
  release=$1
  shift
  mkdir -p "$work/$release/lists/partial" "$work/$release/debs" "$work/$release/tree"
  eval "printf '%s\n' \"\$SOURCES_$release\"" > "$work/$release/sources.list"
  options="-o Dir::Etc::SourceList=$work/$release/sources.list -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists=$work/$release/lists -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o APT::Sandbox::User=root -o Acquire::Retries=3 -qq"
  apt-get $options update
  packages="docker.io containerd runc tini $*"
  if [ "$release" = trixie ]; then packages="$packages docker-cli"; fi
  (cd "$work/$release/debs" && apt-get $options download $packages)
  for deb in "$work/$release/debs"/*.deb; do dpkg-deb --extract "$deb" "$work/$release/tree"; done
}

# One field of one of the packages that were fetched.
field() {
  dpkg-deb --field "$work/$1/debs/$2"_*.deb "$3"
}

# The upstream part of a version: 20.10.24+dfsg1-1+deb12u1+b6 is 20.10.24.
upstream_version() {
  field "$1" "$2" Version | sed -E 's/^[0-9]+://; s/[+~-].*//'
}

# place TREE FROM TO MODE: a file of Debian's tree, from either side of the merged /usr.
place() {
  for candidate in "$1/$2" "$1/usr/$2"; do
    if [ -e "$candidate" ]; then install -D -m "$4" "$candidate" "$3"; return; fi
  done
  echo "$2 is not in Debian's packages" >&2
  return 1
}

# place_iptables TREE BIN: iptables and what it loads, its programs in that folder of $work/root.
place_iptables() {
  mkdir -p "$work/root$2" "$work/root/usr/lib"
  for name in iptables ip6tables iptables-save iptables-restore ip6tables-save ip6tables-restore; do
    ln -s xtables-nft-multi "$work/root$2/$name"
  done
  place "$1" sbin/xtables-nft-multi "$work/root$2/xtables-nft-multi" 755
  (cd "$1" && find usr/lib -path '*/xtables/*.so' -exec cp --parents {} "$work/root" ';')
}

# new_key NAME MAIL EXPIRY [OPTION…]: a signing key without a password.
new_key() {
  user="$1 <$2>" expiry=$3
  shift 3
  gpg --batch --quiet --passphrase '' "$@" --quick-generate-key "$user" rsa3072 sign "$expiry"
}

# fingerprint_of MAIL
fingerprint_of() {
  gpg --batch --with-colons --list-keys "$1" | sed -n 's/^fpr:*\([0-9A-F]\{40\}\):$/\1/p' | head -1
}
