/**
 * Shell functions with which scripts change a host so that it can be undone: `put` writes files whole and only when
 * they differ, everything is kept as it was until the run has succeeded, and on an adopted host for good. State is in
 * files, never in shell variables, so that the functions work in pipelines too and survive a cut-off run.
 */
import { ownerLayers } from "./owner-layers.ts";
import { SecretText } from "./secret-text.ts";
import { hereDocument, joinLines, sh, type ShellText } from "./shell-text.ts";
import { statePaths } from "./state-paths.ts";

export interface ChangingOptions {
  /** Changes are recorded on the host for {@link restoreScript}. */
  readonly record: boolean;
  /** How messages name the host. */
  readonly label: string;
  readonly packageLockSeconds: number;
  /** Packages that are there may be removed where the package manager finds no other way. */
  readonly mayRemove: boolean;
  /** Names of the owner for whom it is recorded; none = whoever it was before. */
  readonly owners?: readonly string[] | undefined;
  /** A record without a name is theirs. */
  readonly isUnnamedRecordOurs?: boolean | undefined;
}

const files = sh`
mode_of() { if [ -e "$1" ]; then printf '0%s' "$(stat -c %a "$1" 2> /dev/null)"; else printf 0644; fi; }
same_file() { if has cmp; then cmp -s "$1" "$2"; else [ "$(cat "$1")" = "$(cat "$2")" ]; fi; }

# remember KIND WHAT: a line of the manifest, once.
remember() {
  [ "$record" = yes ] || return 0
  own_layer
  line=$(printf '%s\t%s' "$1" "$2")
  grep -qxF "$line" ${statePaths.manifest} 2> /dev/null || printf '%s\n' "$line" >> ${statePaths.manifest}
}
known_file() { grep -qxF "$(printf 'file-created\t%s' "$1")" ${statePaths.manifest} 2> /dev/null || [ -e ${statePaths.originals}"$1" ]; }

# keep PATH: as it is now, for undoing this run; and for good on an adopted host, if it was never changed before.
keep() {
  kept=$(printf '\t%s' "$1")
  grep -qF "$kept" ${statePaths.run}/list 2> /dev/null && return 0
  number=$(($(wc -l < ${statePaths.run}/list) + 1))
  if [ -e "$1" ]; then
    cp -p "$1" ${statePaths.run}/"$number" || exit 1
    printf '%s\t%s\n' "$number" "$1" >> ${statePaths.run}/list
  else
    printf 'new\t%s\n' "$1" >> ${statePaths.run}/list
  fi
}
keep_for_good() {
  [ "$record" = yes ] || return 0
  own_layer
  ! known_file "$1" || return 0
  if [ -e "$1" ]; then
    mkdir -p "$(dirname ${statePaths.originals}"$1")" && cp -p "$1" ${statePaths.originals}"$1" || exit 1
    remember file-changed "$1"
  else
    remember file-created "$1"
  fi
}
# relabel PATH: with what SELinux's policy says of it, in the place of what it has from its folder.
relabel() { ! has restorecon || restorecon "$1" 2> /dev/null || :; }
make_folder() {
  [ -d "$1" ] && return 0
  make_folder "$(dirname "$1")"
  mkdir "$1" && chmod 0755 "$1" || exit 1
  relabel "$1"
  remember folder-created "$1"
}

# put PATH MODE: standard input becomes the file. Whole or not at all, and untouched when it is the same.
put() {
  target=$1; mode=$2
  [ -L "$target" ] && target=$(readlink -f "$target")
  make_folder "$(dirname "$target")"
  ( umask 077; cat > "$target.docker-machine-new" ) && chmod "$mode" "$target.docker-machine-new" || drop_new
  place "$target" "$mode"
}
# put_program FILE PATH: the same for a program that lies ready in a file.
put_program() {
  target=$2
  make_folder "$(dirname "$target")"
  cp "$1" "$target.docker-machine-new" && chmod 0755 "$target.docker-machine-new" || drop_new
  place "$target" 0755
}
# What has nothing to do with the engine is changed with apart=yes.
owe_restart() { [ "$apart" = yes ] || : > ${statePaths.restartOwed}; }
drop_new() { rm -f "$target.docker-machine-new"; exit 1; }
place() {
  if [ -f "$1" ] && same_file "$1" "$1.docker-machine-new" && [ "$(mode_of "$1")" = "$2" ]; then
    rm -f "$1.docker-machine-new"
    return 0
  fi
  keep "$1"; keep_for_good "$1"
  owe_restart && mv -f "$1.docker-machine-new" "$1" || drop_new
  relabel "$1"
  changed "$1"
}
# keep_edited PATH: what someone wrote into a file of ours outlives it.
keep_edited() { [ ! -e "$1" ] || { cp -p "$1" "$1.edited" && relabel "$1.edited" && changed "$1.edited"; }; }
take_away() {
  [ -e "$1" ] || return 0
  keep "$1"; keep_for_good "$1"
  owe_restart || exit 1
  rm -f "$1" && changed "$1"
}
`;

const runs = sh`
# Someone else's run, or one of ours whose connection broke: once begun it goes on to its end, and is waited for.
other_run() { read -r other < ${statePaths.run}/process && grep -q '#begin' "/proc/$other/cmdline"; } 2> /dev/null
# Looking and taking are one step: of several that wait for the same run one goes next, and the others wait for that one.
claim_run() (
  exec 9< ${statePaths.folder} || exit 2
  if has flock; then flock 9 || exit 2; fi
  other_run && exit 1
  rm -rf ${statePaths.run}
  mkdir ${statePaths.run} && echo "$$" > ${statePaths.run}/process && : > ${statePaths.run}/list || exit 2
)
start_waiting() { deadline=$(($(date +%s) + lock_seconds)); said=no; }
wait_for_other() {
  [ "$said" = yes ] || waiting "Another run of docker-machine is still at work on $label; waiting up to $lock_seconds s for it..."
  said=yes
  [ "$(date +%s)" -lt "$deadline" ] || fail machine-busy "Another run of docker-machine (process $other there) is still at work on $label"
  nap
}
# Whoever wants to look at what the other leaves, and to change nothing yet.
await_other_run() { start_waiting; while other_run; do wait_for_other; done; }
begin_run() {
  # When the connection breaks, a run half done would be worse than one that nobody hears of.
  trap '' PIPE
  ( umask 077; mkdir -p ${statePaths.folder} ) && chmod 0700 ${statePaths.folder} || exit 1
  start_waiting
  while :; do
    claim_run; claimed=$?
    [ "$claimed" -lt 2 ] || exit 1
    # One that waited, and that nobody hears of any more, would restart an engine that is in use by then.
    [ "$said" = no ] || printf '\n' 2> /dev/null || { [ "$claimed" = 1 ] || rm -rf ${statePaths.run}; exit 1; }
    [ "$claimed" = 1 ] || return 0
    other_run || continue
    wait_for_other
  done
}
# Files as they were before the run, newest change first.
undo_run() {
  [ -e ${statePaths.run}/list ] || return 0
  sed '1!G;h;$!d' ${statePaths.run}/list | while IFS=$tab read -r number path; do
    if [ "$number" = new ]; then rm -f "$path"; else cp -p ${statePaths.run}/"$number" "$path" && relabel "$path"; fi
    rm -f "$path.docker-machine-new"
  done
}
# What our files are now, so that a later restore sees whether someone changed them since.
finish_run() {
  if [ "$record" = yes ] && [ -e ${statePaths.manifest} ] && is_ours ${statePaths.folder}; then
    sed -n "s/^file-[a-z]*$tab//p" ${statePaths.manifest} | while IFS= read -r path; do
      [ -e "$path" ] && printf '%s\t%s\n' "$(cksum < "$path")" "$path"
    done > ${statePaths.sums}
  fi
  # The next run may begin now. What fails here afterwards, as words that nobody hears any more, undoes nothing.
  on_failure() { :; }
  rm -rf ${statePaths.run}
}
`;

/**
 * `managed COMMAND…` waits, with a bound, while the package manager's lock is held. Its last output is in `$managed_log`.
 * `spare WORD…` stops an installation that would take away what is there. It stands before every installation, or, where
 * the manager itself can be told to take nothing away, after one that failed, and says what would have gone.
 */
const managing = sh`
managed_log=${statePaths.run}/log
managed() {
  waited=0
  while :; do
    # A status cannot pass through a pipe: it goes around it, by descriptor 4.
    { managed_status=$( { { "$@" 2>&1 3>&- 4>&- < /dev/null; echo $? >&4; } | tee "$managed_log" >&3; } 4>&1 ); } 3>&1
    [ "$managed_status" = 0 ] && return 0
    grep -Eq "$pkg_busy" "$managed_log" 2> /dev/null || return 1
    if [ "$waited" -ge "$lock_seconds" ]; then
      hint "Find out what holds it (it is named above), then run: docker-machine provision $label"
      fail package-manager "The package manager of $label was locked by another process for $waited s"
    fi
    [ "$waited" = 0 ] && waiting "Another process holds the lock of the package manager on $label; waiting up to $lock_seconds s for it..."
    sleep 2
    waited=$((waited + 2))
  done
}
# pkg_offered NAME…: those that can be had, a word each. A manager that is slow to start is asked once for all.
optional=
pkg_offered() { for name in "$@"; do pkg_available "$name" && printf ' %s' "$name"; done; }
# leave_out TEXT WORD…: where a manager does not know some of the words that may be left out, $words are the others.
leave_out() {
  unknown=$(printf '%s\n' "$1" | sed -n 's/.* for argument: //p')
  shift
  words=
  for word in "$@"; do
    case " $optional " in *" $word "*) ! printf '%s\n' "$unknown" | grep -qxF "$word" || continue ;; esac
    words="$words $word"
  done
  [ -n "$words" ] && [ "$words" != "$(printf ' %s' "$@")" ]
}
# read_put_back SIGN: the lines of pkg_put_back as words, $exact with their versions and $plain without.
read_put_back() {
  exact=; plain=
  while read -r name version; do exact="$exact $name$1$version"; plain="$plain $name"; done
}
pkg_state() { :; }
as_foretold=
spare() {
  # What was foretold, and seen, holds while all that it was foretold from is as it was.
  as_foretold=
  [ -z "$foretold_state" ] || [ "$(pkg_state)" != "$foretold_state" ] || as_foretold=yes
  [ -z "$as_foretold" ] || return 0
  [ "$may_remove" = no ] && outlook=$(pkg_preview "$@" 2> /dev/null) || return 0
  going=$(printf '%s\n' "$outlook" | sed -n 's/^remove //p' | tr '\n' ',' | sed 's/,$//; s/,/, /g')
  [ -z "$going" ] || fail package-removal "Installing $* on $label would remove what is there: $going"
}
`;

/** `download URL FILE`, with whatever the host has. */
const downloading = sh`
download() {
  if has curl; then curl -fsSL --connect-timeout 15 --max-time 600 --retry 2 -o "$2" "$1"
  elif has wget; then wget -q -T 30 -O "$2" "$1"
  elif [ -x /usr/lib/apt/apt-helper ] && [ "$2" != /dev/null ]; then /usr/lib/apt/apt-helper download-file "$1" "$2" > /dev/null
  else echo "neither curl nor wget is installed"; return 1
  fi
}
`;

export function changingFunctions(options: ChangingOptions): ShellText {
  return joinLines(
    sh`tab=$(printf '\t')
apart=
record=${options.record ? "yes" : "no"}
label=${options.label}
may_remove=${options.mayRemove ? "yes" : "no"}
owner_ids=${(options.owners ?? []).join(" ")}
unnamed_is_ours=${options.isUnnamedRecordOurs === false ? "no" : "yes"}
lock_seconds=${options.packageLockSeconds}
foretold_words=
foretold_state=`,
    ownerLayers,
    files,
    runs,
    managing,
    downloading,
  );
}

/** Writes a file by `put`; the content reaches it by standard input. */
export function putFile(path: string, mode: string, content: string | SecretText): ShellText {
  return sh`put ${path} ${mode} ${hereDocument(content instanceof SecretText ? content.reveal() : content)}`;
}
