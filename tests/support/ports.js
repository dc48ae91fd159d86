/*
 * Ports: a free range for each stack, so that test files run beside each other.
 *
 * A range is claimed by listening on its last port for as long as this process lives: nothing is
 * left behind when it dies, and no two processes can claim the same. Ranges lie below the ports
 * that the system hands out to clients.
 */
import net from 'node:net';

const FIRST = 20_000;
const LAST = 32_000;
const RANGE = 40;

const claims = new Map();

/** Claims RANGE ports and returns the first. */
export async function claimPorts() {
  const ranges = Math.floor((LAST - FIRST) / RANGE);
  const start = process.pid % ranges;
  for (let i = 0; i < ranges; i++) {
    const base = FIRST + ((start + i) % ranges) * RANGE;
    const claim = await listen(base + RANGE - 1);
    if (!claim) continue;
    if (await allFree(base, base + RANGE - 2)) {
      claims.set(base, claim);
      return base;
    }
    claim.close();
  }
  throw new Error(`no range of ${RANGE} free ports between ${FIRST} and ${LAST}`);
}

export function releasePorts(base) {
  claims.get(base)?.close();
  claims.delete(base);
}

async function allFree(from, to) {
  for (let port = from; port <= to; port++) {
    const server = await listen(port);
    if (!server) return false;
    await new Promise((done) => server.close(done));
  }
  return true;
}

function listen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.unref();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
