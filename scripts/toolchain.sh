# Sourced: puts the clone's own Node and Bun first on PATH. Expects $root.
PATH=$root/tools/toolchain/node_modules/.bin:$root/node_modules/.bin:$PATH
for folder in "$root"/tools/toolchain/node_modules/node-*/bin; do
  if [ -x "$folder/node" ]; then PATH=$folder:$PATH; fi
done
export PATH
