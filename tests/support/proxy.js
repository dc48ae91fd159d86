/*
 * A TCP proxy between two processes of a stack, for what a network does to a connection: cut it, let
 * one side believe that it stands, hold everything back, or pass it on late and in small pieces.
 */
import net from 'node:net';

const PIECE_BYTES = 512;

export class Proxy {
  /** Listens on a free port of loopback and passes everything on to `port`. */
  static async to(port) {
    const proxy = new Proxy(port);
    await new Promise((done, failed) => {
      proxy.server.once('error', failed).listen(0, '127.0.0.1', done);
    });
    return proxy;
  }

  constructor(target) {
    Object.assign(this, { target, links: new Set(), mode: 'pass', refuses: false });
    this.server = net.createServer({ allowHalfOpen: true }, (client) => this.link(client));
    this.server.unref();
  }

  get port() {
    return this.server.address().port;
  }

  link(client) {
    if (this.refuses) return client.destroy();
    const server = net.connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    const link = { client, server };
    this.links.add(link);
    this.carry(client, server, link);
    this.carry(server, client, link);
  }

  /** From one end to the other, as the mode says at that moment. */
  carry(from, to, link) {
    from.on('data', async (bytes) => {
      from.pause();
      await this.pass(bytes, to);
      if (!from.destroyed) from.resume();
    });
    from.on('end', () => this.mode === 'silent' || to.end());
    from.on('error', () => {});
    from.on('close', () => {
      this.links.delete(link);
      if (this.mode !== 'silent') to.destroy();
    });
  }

  async pass(bytes, to) {
    while (this.mode === 'held') await this.changed();
    if (this.mode === 'silent') return; /* nobody hears it, and nobody is told */
    if (this.mode !== 'slow') return void to.write(bytes);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      await new Promise((done) => setTimeout(done, this.delay));
      to.write(bytes.subarray(at, at + PIECE_BYTES));
    }
  }

  changed() {
    return new Promise((done) => (this.waiting ??= []).push(done));
  }

  become(mode, { delay = 0, refuses = false } = {}) {
    Object.assign(this, { mode, delay, refuses });
    for (const done of this.waiting ?? []) done();
    this.waiting = [];
  }

  /** Every connection breaks, and none is taken until heal(). */
  cut() {
    this.become('pass', { refuses: true });
    this.endAll();
  }

  /** Half open: what is sent arrives nowhere, and no side is told. */
  silence() {
    this.become('silent');
  }

  /** Nothing passes until heal(). */
  hold() {
    this.become('held');
  }

  /** How many pieces are held back. */
  get holds() {
    return this.waiting?.length ?? 0;
  }

  /** Each piece takes that many milliseconds. */
  slow(delay) {
    this.become('slow', { delay });
  }

  /** As a network should be. What was half open is reset, as a router that forgot it would do. */
  heal() {
    const lost = this.mode === 'silent';
    this.become('pass');
    if (lost) this.endAll();
  }

  endAll() {
    for (const { client, server } of this.links) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  close() {
    this.endAll();
    this.server.close();
  }
}
