# Completion of docker-machine for fish, and its `use`. The program itself says what can stand at the cursor.

function __docker_machine_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace --regex '^~(?=/)' $HOME -- $tokens[1])
    set -l lines (DOCKER_MACHINE_WRAPPED=$DOCKER_MACHINE_WRAPPED command $program __complete -- $tokens[2..-1] $current 2>/dev/null)
    for line in $lines[2..-1]
        echo $line
    end
    # A path may follow the equals sign of a flag.
    set -l path (string replace --regex '^--?[^=]*=' '' -- $current)
    set -l prefix (string sub --length (math (string length -- $current) - (string length -- $path)) -- $current)
    if string match --quiet '*files*' -- $lines[1]
        __fish_complete_path $path | string replace --regex '^' -- $prefix
    else if string match --quiet '*folders*' -- $lines[1]
        __fish_complete_directories $path | string replace --regex '^' -- $prefix
    end
end

complete --command docker-machine --no-files --arguments '(__docker_machine_complete)'

# `docker-machine use NAME` sets up this shell for a machine. Set DOCKER_MACHINE_WRAPPED to another value to do without.
set -q DOCKER_MACHINE_WRAPPED; or set -g DOCKER_MACHINE_WRAPPED true

if test "$DOCKER_MACHINE_WRAPPED" = true
    function docker-machine --description 'docker-machine with `use`'
        if test "$argv[1]" != use
            command docker-machine $argv
            return
        end
        set -l options $argv[2..-1]
        if test (count $options) -eq 0; or contains -- $options[1] -h --help -help
            command docker-machine env --help | string replace --all 'docker-machine env' 'docker-machine use'
            return
        end
        set -l lines (command docker-machine env --shell fish $options)
        or return
        string join \n -- $lines | source
        test -n "$DOCKER_MACHINE_NAME"; and echo "Active machine: $DOCKER_MACHINE_NAME"; or echo 'No active machine'
    end
end
