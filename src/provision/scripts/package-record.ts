/** Which packages came with a run, and which went: what a restore takes away and brings back. After the changing functions. */
import { sh } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";

/**
 * Of a run that was cut off, the list of packages from before it counts: what came since is ours, and what is gone went
 * because of us. One that failed has recorded that itself and leaves an empty list: what comes until the next is somebody
 * else's. What stands in /etc is noted too, for it may lie where a package that comes has a file of its own.
 */
export const packageRecord = sh`
continued=
[ ! -e ${statePaths.packagesBefore} ] || continued=yes
if [ ! -s ${statePaths.packagesBefore} ]; then
  pkg_list > ${statePaths.packagesBefore}
  [ "$record" = no ] || own_layer
  [ "$record" = no ] || [ -e ${statePaths.settingsBefore} ] || find /etc -xdev \( -type f -o -type l \) > ${statePaths.settingsBefore} 2> /dev/null
fi
record_packages() {
  pkg_list > ${statePaths.run}/packages
  awk -v before=${statePaths.packagesBefore} '
    BEGIN { while ((getline line < before) > 0) { split(line, word, " "); there[word[1]] = word[2]; pair[line] = 1 } }
    { now[$1] = 1 }
    !($1 in there) { print "package", $1; next }
    !($0 in pair) && there[$1] != "" { print "package-replaced", $1, there[$1] }
    END { for (name in there) if (!(name in now)) print "package-gone", name, there[name] }' ${statePaths.run}/packages |
    while read -r kind name version; do
      remember "$kind" "$name\${version:+ $version}"
      case $kind in
        package) printf '@fact\tinstalled\t%s\n' "$name" ;;
        package-gone) printf '@fact\tgone\t%s\n' "$name $version" ;;
      esac
    done
}
record_failed() { record_packages; : > ${statePaths.packagesBefore}; }`;
