/*
 * A door before a server: connections go through it while it is open, and are refused while it is
 * shut. What it hides does not know of it.
 */
import net from 'node:net';

export async function openDoor(url) {
  const door = new Door(new URL(url));
  await door.open();
  return door;
}

class Door {
  constructor(behind) {
    this.behind = behind;
    this.port = 0; /* any, and then always that one */
    this.sockets = new Set();
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async open() {
    this.server = net.createServer((client) => this.connect(client));
    await new Promise((done, fail) => {
      this.server.once('error', fail);
      this.server.listen(this.port, '127.0.0.1', done);
    });
    this.port = this.server.address().port;
  }

  connect(client) {
    const server = net.connect(this.behind.port, this.behind.hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      this.sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.end();
      });
      from.pipe(to);
    }
  }

  /** Ends what goes through it and lets nobody in: connections are refused. */
  async shut() {
    const shut = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.destroy();
    await shut;
  }
}
