/** What the managers of RPM packages share: the list, keys, and that nothing goes which another package needs. */
import { sh } from "../shell/shell-text.ts";

export const rpmFunctions = sh`
pkg_list() { rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\n' | grep -v '^gpg-pubkey '; }
# A key is no package that a manager could remove: it is recorded by its own name, also where a manager takes one that a
# repository's settings name.
noting_keys() {
  keys_before=$(rpm -q gpg-pubkey)
  "$@"
  noting_status=$?
  rpm -q gpg-pubkey | while IFS= read -r trusted; do
    case $trusted in gpg-pubkey-*) printf '%s\n' "$keys_before" | grep -qxF "$trusted" || remember package-key "$trusted" ;; esac
  done
  return "$noting_status"
}
# While another is at work rpm takes no key; of old it waits for that one without an end. It says so, and is asked again.
pkg_trust() { noting_keys managed timeout 10 rpm --import "$1" || fail package-manager "rpm did not accept the key $1"; }
pkg_distrust() { rpm -e "$1"; }
# What a package asks for that comes back afterwards is not lost to it.
coming_back=
pkg_needed() {
  rpm -e --test "$@" 2>&1 | awk -v back=" $coming_back " '
    / is needed by \(installed\) / {
      split($0, side, / is needed by \(installed\) /)
      gsub(/[(),]/, " ", side[1])
      count = split(side[1], word, " ")
      for (i = 1; i <= count; i++) if (index(back, " " word[i] " ")) next
      print side[2]
    }' | sort -u
}
# Until then a tool that looks at dependencies would take along what asks for it.
rpm_erase() { managed rpm -e --nodeps "$@"; }
`;
