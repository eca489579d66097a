# The active machine in the prompt of bash and zsh:
#   PS1='[\u@\h \W$(__docker_machine_ps1 " [%s]")]\$ '                       (bash)
#   setopt prompt_subst; PROMPT='%1~$(__docker_machine_ps1 " [%s]") %# '     (zsh)
#
# With DOCKER_MACHINE_PS1_SHOWSTATUS=true its state is shown too: R running, S stopped, R->S and S->R in between, E for
# an error. The state is asked for in the background, at most every DOCKER_MACHINE_PS1_INTERVAL seconds (30), and shown
# from the next prompt on; no prompt starts or waits for a program. Bash older than 4.1 shows the name only.

__docker_machine_ps1() {
  [[ -n ${DOCKER_MACHINE_NAME-} ]] || return 0
  local state=
  [[ ${DOCKER_MACHINE_PS1_SHOWSTATUS-} == true ]] && state=${__docker_machine_ps1_state-}
  # shellcheck disable=SC2059 # the format is the caller's
  printf -- "${1:- [%s]}" "$DOCKER_MACHINE_NAME$state"
}

# Runs before each prompt: takes the answer to the last question, if it has come, and asks again when it is old.
__docker_machine_ps1_refresh() {
  local kept=$? answer
  if [[ ${DOCKER_MACHINE_PS1_SHOWSTATUS-} != true || -z ${DOCKER_MACHINE_NAME-} ]]; then return $kept; fi
  if [[ ${__docker_machine_ps1_about-} != "$DOCKER_MACHINE_NAME" ]]; then
    __docker_machine_ps1_about=$DOCKER_MACHINE_NAME __docker_machine_ps1_state='' __docker_machine_ps1_due=0
    if [[ -n ${__docker_machine_ps1_fd-} ]]; then exec {__docker_machine_ps1_fd}<&-; fi
    __docker_machine_ps1_fd=''
  fi
  if [[ -n $__docker_machine_ps1_fd ]] && read -r -t 0 -u "$__docker_machine_ps1_fd" answer; then
    # Bash only says that there is something to read.
    [[ -n ${ZSH_VERSION-} ]] || read -r -u "$__docker_machine_ps1_fd" answer
    exec {__docker_machine_ps1_fd}<&-
    __docker_machine_ps1_fd=''
    case $answer in
      Running) __docker_machine_ps1_state=' R' ;;
      Stopping) __docker_machine_ps1_state=' R->S' ;;
      Starting) __docker_machine_ps1_state=' S->R' ;;
      Error | Timeout) __docker_machine_ps1_state=' E' ;;
      *) __docker_machine_ps1_state=' S' ;;
    esac
  fi
  if [[ -z $__docker_machine_ps1_fd && $SECONDS -ge $__docker_machine_ps1_due ]]; then
    exec {__docker_machine_ps1_fd}< <(command docker-machine status "$DOCKER_MACHINE_NAME" </dev/null 2>/dev/null || echo Error)
    __docker_machine_ps1_due=$((SECONDS + ${DOCKER_MACHINE_PS1_INTERVAL:-30}))
  fi
  return $kept
}

if [[ -n ${ZSH_VERSION-} ]]; then
  autoload -Uz add-zsh-hook && add-zsh-hook precmd __docker_machine_ps1_refresh
elif [[ ${BASH_VERSINFO[0]} -gt 4 || (${BASH_VERSINFO[0]} -eq 4 && ${BASH_VERSINFO[1]} -ge 1) ]]; then
  case ";${PROMPT_COMMAND-};" in
    *";__docker_machine_ps1_refresh;"*) ;;
    *) PROMPT_COMMAND="__docker_machine_ps1_refresh${PROMPT_COMMAND:+;$PROMPT_COMMAND}" ;;
  esac
fi
