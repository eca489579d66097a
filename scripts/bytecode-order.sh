#!/bin/sh
# bytecode-order.sh PROGRAM FOLDER: records into FOLDER in which order the commands of every day need the program's code. The
# next build lays it out so, which takes 4 to 10 % off their start; what has changed since lies behind.
set -eu
program=$PWD/$1
folder=$PWD/$2
new=$folder.$$.tmp
scene=$(mktemp -d)
trap 'rm -rf "$scene" "$new"' EXIT
mkdir -p "$new"

run() {
  env -i HOME="$scene" PATH=/usr/bin:/bin SHELL=/bin/sh MACHINE_STORAGE_PATH="$scene/store" "$@" >/dev/null 2>&1 || true
}

run "$program" create -d none --url tcp://127.0.0.1:1 --tls-key-type ecdsa one
count=0
record() {
  count=$((count + 1))
  run BUN_BYTECODE_ORDER_OUT="$new/$(printf %02d "$count")" "$program" "$@"
}
record version
record active
record env one
record ls
record ip one
record inspect one
record url one
record config one
record status one
record __complete -- ins
record __complete -- ip o
record ls -q

rm -rf "$folder"
mv "$new" "$folder"
