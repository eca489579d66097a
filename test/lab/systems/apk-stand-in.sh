#!/bin/sh
# Stands in for apk on the lab's Alpine: the commands that provisioning calls, with apk's words and exit statuses, over a
# database and an index of its own. It solves dependencies by name alone.
# sort and tar are not busybox's, which lack options.
set -eu
db=/lib/apk/db
mkdir -p "$db/files" /var/cache/apk
touch "$db/installed"
extra=
simulate=
upgrade=
options=
named=
words=
while [ $# -gt 0 ]; do
  case $1 in
    --repository) extra=$2; shift ;;
    --simulate) simulate=yes ;;
    -u) upgrade=yes ;;
    -*) options="$options $1" ;;
    *) if [ -z "$named" ]; then named=$1; else words="$words $1"; fi ;;
  esac
  shift
done
urls() { grep -v '^#' /etc/apk/repositories; [ -z "$extra" ] || echo "$extra"; }
index_of() { echo "/var/cache/apk/APKINDEX.$(printf %s "$1" | cksum | cut -d ' ' -f 1)"; }
fetch_indexes() {
  for url in $(urls); do
    echo "fetch $url/x86_64/APKINDEX.tar.gz"
    curl -fsS -o "$(index_of "$url")" "$url/x86_64/APKINDEX" 2> /dev/null || { echo "ERROR: $url: temporary error (try again later)"; exit 1; }
  done
}
# Lines NAME VERSION URL DEPENDENCY…, the newest of a name first.
known() {
  for url in $(urls); do
    [ -e "$(index_of "$url")" ] || continue
    sed "s|^\([^ ]* [^ ]*\)|\1 $url/x86_64|" "$(index_of "$url")"
  done | /usr/bin/sort -k 1,1 -k 2,2Vr
}
installed_version() { sed -n "s/^$1 //p" "$db/installed"; }
# find_package SPEC: its line. NAME, NAME=VERSION, NAME~BEGINNING
find_package() {
  known | awk -v spec="$1" '
    BEGIN { split(spec, part, /[=~]/) }
    $1 != part[1] { next }
    spec ~ /=/ && $2 != part[2] { next }
    spec ~ /~/ && index($2, part[2]) != 1 { next }
    { print; exit }'
}
todo=
plan() {
  local line name version here
  line=$(find_package "$1")
  [ -n "$line" ] || { printf 'ERROR: unable to select packages:\n  %s (no such package):\n    required by: world[%s]\n' "$1" "$1"; exit 1; }
  set -- "$1" $line
  name=$2 version=$3 here=$(installed_version "$2")
  [ "$here" != "$version" ] || return 0
  [ -z "$here" ] || [ -n "$upgrade" ] || [ "$1" != "$name" ] || return 0
  case " $todo " in *" $name=$version "*) return 0 ;; esac
  shift 4
  for dependency in "$@"; do plan "$dependency"; done
  todo="$todo $name=$version"
}
unpack() {
  package=$1 version=$2 url=$3
  curl -fsS -o /var/cache/apk/package "$url/$package-$version.apk" 2> /dev/null || { echo "ERROR: $package-$version: package mentioned in index not found (try 'apk update')"; exit 1; }
  mkdir -p /var/cache/apk/scripts
  /bin/tar -xzf /var/cache/apk/package -C /var/cache/apk/scripts ./.pre-install 2> /dev/null && sh /var/cache/apk/scripts/.pre-install
  rm -rf /var/cache/apk/scripts
  /bin/tar -xzf /var/cache/apk/package -C / --exclude './.pre-install' --keep-directory-symlink
  /bin/tar -tzf /var/cache/apk/package | sed -n '/\/$/d; /^\.\/\.pre-install$/d; s/^\.//p' > "$db/files/$package"
  rm /var/cache/apk/package
  sed -i "/^$package /d" "$db/installed"
  echo "$package $version" >> "$db/installed"
}
case $named in
  info)
    case $options in
      *-v*) sed 's/ /-/' "$db/installed" ;;
      *-qW*) owner=$(grep -lx -- "${words# }" "$db"/files/* 2> /dev/null | head -n 1)
        [ -n "$owner" ] || { echo "ERROR:${words}: Could not find owner package" >&2; exit 1; }
        basename "$owner" ;;
    esac ;;
  update) fetch_indexes; echo "OK: packages available" ;;
  search) known | awk -v name="${words# }" '$1 == name { print name; exit }' ;;
  add)
    [ -n "$simulate" ] || exec 9> "$db/lock"
    [ -n "$simulate" ] || flock -n 9 || { echo "ERROR: Unable to lock database: Resource temporarily unavailable"; exit 99; }
    for spec in $words; do plan "$spec"; done
    count=$(echo $todo | wc -w)
    number=0
    for item in $todo; do
      number=$((number + 1))
      set -- $(find_package "$item")
      here=$(installed_version "$1")
      if [ -z "$here" ]; then echo "($number/$count) Installing $1 ($2)"; else echo "($number/$count) Upgrading $1 ($here -> $2)"; fi
      [ -n "$simulate" ] || unpack "$1" "$2" "$3"
    done
    echo "OK: $(wc -l < "$db/installed") packages" ;;
  del)
    for name in $words; do
      [ -e "$db/files/$name" ] || continue
      echo "Purging $name ($(installed_version "$name"))"
      while IFS= read -r file; do rm -f "$file"; rmdir "$(dirname "$file")" 2> /dev/null || :; done < "$db/files/$name"
      rm "$db/files/$name"
      sed -i "/^$name /d" "$db/installed"
    done ;;
  *) echo "apk: no such command: $named" >&2; exit 1 ;;
esac
