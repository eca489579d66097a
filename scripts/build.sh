#!/bin/sh
# build.sh executable   build/docker-machine, one file that runs anywhere
# build.sh executable FILE TARGET RUNTIME   the same for another system: Bun's word for it, and its runtime there
# build.sh package      dist/, what the npm package holds, for Node 22.18 and newer
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh
. scripts/toolchain.sh

# Which sources these are, for `docker-machine version`.
DOCKER_MACHINE_COMMIT=$(git describe --always --dirty --exclude='*' 2>/dev/null || echo HEAD)
export DOCKER_MACHINE_COMMIT

# What is recorded in build/order is laid out in that order.
compile() {
  file=$1
  shift
  for record in build/order/*; do
    [ ! -e "$record" ] || set -- "$@" --bytecode-order="$record"
  done
  # cpu-features is a native addon that ssh2 does without. Files of the folder that it is started in are not the executable's.
  # Most runs end before compiling hot code to the processor's pays: that begins sixteen times as late as in a server.
  if ! bun build src/cli/bin.ts --compile --bytecode --splitting --minify --format=esm --external cpu-features \
    --no-compile-autoload-dotenv --no-compile-autoload-bunfig --compile-jit-policy=16 "$@" \
    --define "DOCKER_MACHINE_COMMIT='$DOCKER_MACHINE_COMMIT'" --outfile "$file" >build/build.log 2>&1; then
    cat build/build.log >&2
    rm -f "$file"
    exit 1
  fi
}

executable() {
  mkdir -p build
  [ -t 2 ] && echo "Building docker-machine ..." >&2
  out=build/docker-machine.$$.tmp
  final=${1:-build/docker-machine}
  if [ ! -d build/order ]; then
    compile "$out"
    sh scripts/bytecode-order.sh "$out" build/order
  fi
  [ $# -le 1 ] || set -- "$1" --target="$2" --compile-executable-path="$3"
  [ $# -eq 0 ] || shift
  compile "$out" "$@"
  # For Windows the bundler adds the ending itself.
  [ -e "$out" ] || out=$out.exe
  [ $# -gt 0 ] || sh scripts/bytecode-order.sh "$out" build/order
  mv -f "$out" "$final"
}

package() {
  rm -rf dist
  rolldown --config scripts/rolldown.config.ts
  tsc -p scripts/tsconfig.types.json
  cp scripts/node-entry.cjs dist/docker-machine.cjs
}

what=${1:?executable or package}
shift
"$what" "$@"
