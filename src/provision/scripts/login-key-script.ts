/**
 * A line of the `authorized_keys` of the user who logs in, added and taken away. The file is that user's own, so it is done
 * with their rights; what else stands in it stays, byte for byte.
 */
import { answering, scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";

const look: ShellText = sh`
file=$HOME/.ssh/authorized_keys
[ ! -L "$file" ] || file=$(readlink -f "$file")`;

/** The key itself, whatever stands before and behind it. */
function blobOf(publicKey: string): string {
  return publicKey.split(" ")[1] ?? "";
}

/** @param publicKey one line, `TYPE BASE64 COMMENT`. A key that is there already is left as it is. */
export function addLoginKeyScript(publicKey: string, label: string): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    look,
    sh`
grep -qsF ${blobOf(publicKey)} "$file" || {
  ( umask 077; mkdir -p "$HOME/.ssh"; [ -e "$file" ] || : >> "$file" ) 2>&1
  [ -z "$(tail -c 1 "$file" 2> /dev/null)" ] || echo >> "$file"
  printf '%s\n' ${publicKey} 2>&1 >> "$file" || fail remote-command ${`The machine's own key could not be added to authorized_keys on ${label}`}
}
end`,
  );
}

/** Whole or not at all: who lost this file would be locked out. */
export function removeLoginKeyScript(publicKey: string, label: string): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    look,
    sh`
new=$file.docker-machine-new
! grep -qsF ${blobOf(publicKey)} "$file" || {
  { cp -p "$file" "$new" && { grep -vF ${blobOf(publicKey)} "$file" > "$new" || [ $? = 1 ]; } && mv -f "$new" "$file"; } 2>&1 || {
    rm -f "$new"
    fail remote-command ${`The machine's own key could not be taken out of authorized_keys on ${label}`}
  }
}
end`,
  );
}
