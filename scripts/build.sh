#!/bin/sh
# build.sh executable   build/docker-machine, one file that runs anywhere
# build.sh package      dist/, what the npm package holds, for Node 22.18 and newer
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh
. scripts/toolchain.sh

# Which sources these are, for `docker-machine version`.
DOCKER_MACHINE_COMMIT=$(git describe --always --dirty --exclude='*' 2>/dev/null || echo HEAD)
export DOCKER_MACHINE_COMMIT

executable() {
  mkdir -p build
  [ -t 2 ] && echo "Building docker-machine ..." >&2
  out=build/docker-machine.$$.tmp
  # cpu-features is a native addon that ssh2 does without. Files of the folder that it is started in are not the executable's.
  if ! bun build src/cli/bin.ts --compile --bytecode --splitting --minify --format=esm --external cpu-features \
    --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
    --define "DOCKER_MACHINE_COMMIT='$DOCKER_MACHINE_COMMIT'" --outfile "$out" >build/build.log 2>&1; then
    cat build/build.log >&2
    rm -f "$out"
    exit 1
  fi
  mv -f "$out" build/docker-machine
}

package() {
  rm -rf dist
  rolldown --config scripts/rolldown.config.ts
  tsc -p scripts/tsconfig.types.json
}

"${1:?executable or package}"
