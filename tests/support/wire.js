/*
 * HTTP as bytes on a socket, for requests that no well-behaved client would send.
 */
import net from 'node:net';

import { within } from './wait.js';

const PATIENCE_MS = 15_000;

/** A connection: send() bytes, then read answers one by one, or until it is closed. */
export class Wire {
  static connect(url) {
    const { hostname, port } = new URL(url);
    const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const wire = new Wire(socket);
    const connected = new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(wire));
      socket.once('error', reject);
    });
    return within(PATIENCE_MS, `connecting to ${url}`, connected);
  }

  constructor(socket) {
    this.socket = socket;
    this.received = Buffer.alloc(0);
    this.ended = false;
    this.waiting = () => {};
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.waiting();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.ended = true;
        this.waiting();
      });
    }
  }

  /** Text is sent as latin1, so that every byte can be written. */
  send(...parts) {
    for (const part of parts) {
      this.socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    }
    return this;
  }

  /** Nothing more comes from us; the answer can still be read. */
  shut() {
    this.socket.end();
    return this;
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  close() {
    this.socket.destroy();
  }

  /** The next answer, 1xx included; `head` for answers to HEAD. */
  async answer({ head = false } = {}) {
    const read = async () => {
      for (;;) {
        const answer = this.take(head);
        if (answer) return answer;
        if (this.ended) throw new Error(`closed after ${JSON.stringify(this.received.toString())}`);
        await new Promise((resolve) => (this.waiting = resolve));
      }
    };
    return within(PATIENCE_MS, 'an answer on the wire', read());
  }

  /** Waits until the server has closed, and returns what was left to read. */
  async closed() {
    const wait = async () => {
      while (!this.ended) await new Promise((resolve) => (this.waiting = resolve));
      return this.received;
    };
    return within(PATIENCE_MS, 'the server to close the connection', wait());
  }

  take(head) {
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [first, ...lines] = this.received.subarray(0, end).toString('latin1').split('\r\n');
    const headers = {};
    for (const line of lines) {
      const name = line.slice(0, line.indexOf(':')).toLowerCase();
      const value = line.slice(line.indexOf(':') + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const status = Number(first.split(' ')[1]);
    const length = head || status < 200 || status === 204 ? 0 : Number(headers['content-length']);
    if (this.received.length < end + 4 + length) return undefined;
    const bytes = this.received.subarray(end + 4, end + 4 + length);
    this.received = this.received.subarray(end + 4 + length);
    return answerOf(first, status, headers, bytes);
  }
}

function answerOf(first, status, headers, bytes) {
  const text = bytes.toString('utf8');
  return {
    what: first,
    status,
    headers,
    bytes,
    text,
    json: status >= 200 && text ? parse(text) : undefined,
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A request's text: first line, headers as given (no more, no less), blank line, body. */
export function requestText(firstLine, headers, body = '') {
  return `${firstLine}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`;
}
