/** A TCP relay before a database: loses answers, slows them down, lets nothing through. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #answersToLose = 0;
  #isTold: (request: Buffer) => boolean = () => false;
  /** Before each way of each packet. */
  delayMs = 0;
  /** Nobody answers, and nobody is refused either: packets are dropped. */
  isDown = false;
  /** Answers that were lost. */
  lost = 0;
  /** Round trips so far: what is asked at one time, over however many connections, is one. Connecting is not counted. */
  trips = 0;
  #isAnswered = true;
  #awaited: { readonly text: string; readonly resolve: () => void }[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
    server.on("connection", (client) => this.#carry(client));
  }

  static async start(port: number): Promise<Relay> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Relay(server, port);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next requests that hold this text are carried out, and their connections break before the answer. */
  loseAnswers(count: number, text: string): void {
    this.#answersToLose = count;
    this.#isTold = (request) => request.includes(text);
  }

  /** Resolves with the next request that holds this text. */
  async untilAsked(text: string): Promise<void> {
    await new Promise<void>((resolve) => this.#awaited.push({ text, resolve }));
  }

  /** The network is back; connections of before have lost what they carried. */
  heal(): void {
    this.isDown = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(client: Socket): void {
    const server = connect(this.#port, "127.0.0.1");
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    let isDoomed = false;
    client.on("data", (chunk: Buffer) => {
      if (this.isDown) return;
      if (this.#isAnswered) this.trips += 1;
      this.#isAnswered = false;
      this.#awaited = this.#awaited.filter(({ text, resolve }) => !chunk.includes(text) || resolve());
      isDoomed ||= this.#answersToLose > 0 && this.#isTold(chunk);
      this.#later(() => server.write(chunk));
    });
    server.on("data", (chunk: Buffer) => {
      if (this.isDown) return;
      if (!isDoomed) {
        this.#later(() => {
          this.#isAnswered = true;
          client.write(chunk);
        });
        return;
      }
      this.lost += 1;
      this.#answersToLose -= 1;
      client.destroy();
    });
  }

  #later(work: () => void): void {
    if (this.delayMs === 0) work();
    else setTimeout(work, this.delayMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
