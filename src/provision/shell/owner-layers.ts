/**
 * Shell functions for a host that several owners set up, one after the other. Each records what they found in a layer of
 * their own, and the newest lies on top: taking it back leaves the host as the owner before set it up.
 */
import { sh } from "./shell-text.ts";
import { statePaths } from "./state-paths.ts";

export const ownerLayers = sh`
layer_parts='manifest original sums settings-before undo-firewall owner'
# is_ours FOLDER: whether a layer is this owner's. One without a name is of a time when there was one owner.
is_ours() {
  [ -n "$owner_ids" ] || return 0
  [ -e "$1/owner" ] || { [ "$unnamed_is_ours" = yes ]; return; }
  for id in $owner_ids; do grep -qxF "$id" "$1/owner" && return 0; done
  return 1
}
layers_below() { ls ${statePaths.below} 2> /dev/null | sort -n; }
move_layer() { for part in $layer_parts; do [ ! -e "$1/$part" ] || mv "$1/$part" "$2/$part" || exit 1; done; }
# own_layer: what is recorded from here on is this owner's.
own_layer() {
  if [ -e ${statePaths.manifest} ] && ! is_ours ${statePaths.folder}; then
    place=${statePaths.below}/$(($(layers_below | tail -n 1) + 1))
    mkdir -p "$place" && move_layer ${statePaths.folder} "$place" || exit 1
  fi
  [ -e ${statePaths.manifest} ] || : > ${statePaths.manifest} || exit 1
  for id in $owner_ids; do grep -qxF "$id" ${statePaths.owner} 2> /dev/null || printf '%s\n' "$id" >> ${statePaths.owner}; done
}
# pop_layer: this owner's record is done with; the one before is the newest again.
pop_layer() {
  for part in $layer_parts run restart-owed packages-before; do rm -rf ${statePaths.folder}/"$part"; done
  newest=$(layers_below | tail -n 1)
  if [ -z "$newest" ]; then rm -rf ${statePaths.folder}; return; fi
  move_layer ${statePaths.below}/"$newest" ${statePaths.folder}
  rm -rf ${statePaths.below}/"$newest"
  rmdir ${statePaths.below} 2> /dev/null || :
}
# merge_layer NUMBER: an owner goes whose set-up others have built upon. What that owner found is what they are to leave.
merge_layer() {
  lower=${statePaths.below}/$1
  upper=$(layers_below | awk -v number="$1" '$1 > number { print; exit }')
  upper=${statePaths.below}/$upper
  [ "$upper" != ${`${statePaths.below}/`} ] || upper=${statePaths.folder}
  while IFS=$tab read -r kind what; do
    case $kind in file-created|file-changed)
      rm -f "$upper/original$what"
      printf 'file-created\t%s\nfile-changed\t%s\n' "$what" "$what" > "$lower/dropped"
      grep -vxFf "$lower/dropped" "$upper/manifest" > "$lower/kept"
      cat "$lower/kept" > "$upper/manifest"
    esac
    [ "$kind" != file-changed ] || { mkdir -p "$(dirname "$upper/original$what")" && cp -p "$lower/original$what" "$upper/original$what"; }
    line=$(printf '%s\t%s' "$kind" "$what")
    grep -qxF "$line" "$upper/manifest" || printf '%s\n' "$line" >> "$upper/manifest"
  done < "$lower/manifest"
  [ ! -e "$lower/sums" ] || while IFS=$tab read -r sum path; do
    grep -qF "$tab$path" "$upper/sums" 2> /dev/null || printf '%s\t%s\n' "$sum" "$path" >> "$upper/sums"
  done < "$lower/sums"
  [ ! -e "$lower/undo-firewall" ] || cat "$lower/undo-firewall" >> "$upper/undo-firewall"
  [ ! -e "$lower/settings-before" ] || mv "$lower/settings-before" "$upper/settings-before"
  rm -rf "$lower"
  rmdir ${statePaths.below} 2> /dev/null || :
}
`;
