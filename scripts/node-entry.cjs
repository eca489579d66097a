#!/usr/bin/env node
"use strict";
// The command of the npm package. Written for any Node: what is too old for the rest is told so before the rest is read.
const parts = process.versions.node.split(".").map(Number);
if (parts[0] > 22 || (parts[0] === 22 && parts[1] >= 18)) {
  require("./program.cjs");
} else {
  process.stderr.write("docker-machine needs Node 22.18 or newer; this is Node " + process.versions.node + ".\n");
  process.exit(1);
}
