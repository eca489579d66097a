# pack_pacman ROOT FILE NAME VERSION < further lines of .PKGINFO: a package of pacman's of all that lies in ROOT.
pack_pacman() {
  {
    printf 'pkgname = %s\npkgbase = %s\npkgver = %s\npkgdesc = for tests\nurl = http://localhost\nbuilddate = 1700000000\n' "$3" "$3" "$4"
    printf 'packager = The lab\nsize = %s\narch = x86_64\nlicense = Apache\n' "$(du -sb "$1" | cut -f 1)"
    cat
  } > "$1/.PKGINFO"
  (cd "$1" && bsdtar -cf - --format=gnutar .PKGINFO $(ls -A | grep -vx .PKGINFO) | zstd -q -1 > "$2")
  rm -rf "$1"
}
