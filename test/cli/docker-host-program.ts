/**
 * An engine's socket as a machine has it, for an SSH server of a test: answers `/_ping` and `/version`, echoes upgraded
 * streams, and says how many connections it has had. Run on the server; its argument is the socket's path.
 */
import { chmodSync, chownSync, rmSync } from "node:fs";
import { createServer } from "node:http";

const [socketPath = "", mode = "660", uid = "0"] = process.argv.slice(2);
let connections = 0;
const server = createServer((request, response) => {
  response.setHeader("Api-Version", "1.44");
  response.setHeader("Server", "Docker/25.0.1 (linux)");
  if (request.url === "/_ping") return void response.end("OK");
  if (request.url === "/connections") return void response.end(String(connections));
  if (request.url?.endsWith("/version") === true)
    return void response.end(
      JSON.stringify({ Version: "25.0.1", ApiVersion: "1.44", MinAPIVersion: "1.24", Os: "linux", Arch: "amd64" }),
    );
  if (request.url === "/slow") return void setTimeout(() => response.end("late"), 300);
  if (request.url === "/never") return;
  response.statusCode = 404;
  response.end(JSON.stringify({ message: `no such thing: ${request.url}` }));
});
server.on("connection", () => (connections += 1));
server.on("upgrade", (_request, socket) => {
  socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
  // A client that ends its side still gets what is on its way: as `docker exec` with input does.
  socket.on("data", (chunk: Buffer) => socket.write(chunk.toString("latin1").toUpperCase()));
  socket.on("end", () => socket.end("END"));
});
rmSync(socketPath, { force: true });
server.listen(socketPath, () => {
  chmodSync(socketPath, Number.parseInt(mode, 8));
  chownSync(socketPath, Number(uid), 0);
  console.log("listening");
});
