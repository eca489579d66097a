# Completion of docker-machine for bash 3.2 and newer. The program itself says what can stand at the cursor.

# Words up to the cursor, with those that bash splits at `=` and `:` put together again.
__docker_machine_words() {
  local rest=$1 index count=0 word trimmed
  __docker_machine_typed=()
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    trimmed=${rest#"${rest%%[![:space:]]*}"}
    if [[ $count -gt 0 && $trimmed == "$rest" ]]; then
      __docker_machine_typed[count - 1]+=$word
    else
      __docker_machine_typed[count]=$word
      count=$((count + 1))
    fi
    rest=${trimmed#"$word"}
  done
}

_docker_machine() {
  local program=${COMP_WORDS[0]} line directives='' cut candidate current
  local -a __docker_machine_typed
  __docker_machine_words "${COMP_LINE#"${COMP_LINE%%"$program"*}$program"}"
  current=${__docker_machine_typed[${#__docker_machine_typed[@]} - 1]}
  # Bash replaces only what stands behind the last character at which it splits words.
  cut=${current%"${current##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $directives ]]; then
      directives=$line
    else
      candidate=${line%%$'\t'*}
      COMPREPLY+=("${candidate#"$cut"}")
    fi
  done < <(DOCKER_MACHINE_WRAPPED=${DOCKER_MACHINE_WRAPPED-} command "${program/#\~/$HOME}" __complete -- "${__docker_machine_typed[@]}" 2>/dev/null)
  case $directives in
    *nospace*) compopt -o nospace 2>/dev/null ;;
  esac
  case $directives in
    *files*) __docker_machine_paths -f "${current#"$cut"}" ;;
    *folders*) __docker_machine_paths -d "${current#"$cut"}" ;;
  esac
}

__docker_machine_paths() {
  local line
  compopt -o filenames 2>/dev/null
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$1" -- "$2")
}

complete -F _docker_machine docker-machine docker-machine.exe
