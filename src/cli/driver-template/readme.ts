/** `README.md` of a new driver's project. */
import { pluginPrefix } from "../../plugin/plugin-environment.ts";

export function readme(name: string): string {
  const program = `${pluginPrefix}${name}`;
  return `# ${program}

A driver of docker-machine, as a program that docker-machine, Docker Machine 0.16 and its forks find on PATH.

| File | What it is |
|---|---|
| \`src/driver.ts\` | the driver: flags, configuration, lifecycle; the requests are an example, to be replaced by your provider's |
| \`src/driver.test.ts\` | the contract that every driver keeps, kills at each step, and what is special about this one |
| \`src/main.ts\` | the program |

## Work on it

    npm install
    npm test
    npm run build
    npm link                  # puts ${program} on PATH
    docker-machine driver inspect ${name}
    docker-machine create --driver ${name} --${name}-endpoint URL --${name}-token TOKEN web

## Hand it out

As an npm package, or as one file that needs nothing installed:

    bun build --compile dist/main.js --outfile ${program}

Rancher takes the latter. It reads the driver's name from the file's name, up to the first \`-\`, \`_\` or \`.\` behind the prefix, and wants flags
to begin with that name.

## Rules a driver keeps

- Every command opens the driver afresh: what it must know later is in its configuration.
- \`create\` notes what it asks for in the ledger before it asks, with the mark of this create, and takes over what an interrupted one has made.
- It does not wait: the core asks \`getState\`, and \`locate\` for the address.
- \`remove\` succeeds when nothing is left, and touches nothing that another made.
- A credential is a \`secret\`: the record has a mark in its place, and \`context.reveal\` gives it when a request needs it.
`;
}
