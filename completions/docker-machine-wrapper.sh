# `docker-machine use NAME` sets up this shell, bash or zsh, for a machine; `docker-machine use -u` undoes that.
# Set DOCKER_MACHINE_WRAPPED to another value than true to do without.

: "${DOCKER_MACHINE_WRAPPED:=true}"

__docker_machine_use() {
  local shell=bash lines
  [[ -n ${ZSH_VERSION-} ]] && shell=zsh
  case ${1-} in
    '' | -h | -help | --help)
      lines=$(command docker-machine env --help) || return
      printf '%s\n' "${lines//docker-machine env/docker-machine use}"
      return
      ;;
  esac
  lines=$(command docker-machine env --shell "$shell" "$@") || return
  eval "$lines"
  if [[ -n ${DOCKER_MACHINE_NAME-} ]]; then
    printf 'Active machine: %s\n' "$DOCKER_MACHINE_NAME"
  else
    printf 'No active machine\n'
  fi
}

if [[ $DOCKER_MACHINE_WRAPPED == true ]]; then
  function docker-machine {
    if [[ ${1-} == use ]]; then
      shift
      __docker_machine_use "$@"
    else
      command docker-machine "$@"
    fi
  }
fi
