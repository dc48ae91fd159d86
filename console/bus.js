/*
 * The bus, as the edge shows it: every event of the caller's merchant, live, over MQTT in a websocket.
 *
 * A connection that was lost comes back by itself. What was announced meanwhile, and a little of what
 * was before, is read from the services' event logs, so nothing is missing; each event is told once.
 */
const SOURCES = ['order-service', 'payment-service', 'voucher-service'];
const KNOWN_MAX = 20_000;
const PAGE = 200;

export class Bus {
  /** `onEvent(event, isLive)` and `onState(word)` are told until `signal` is aborted. */
  constructor(caller, { onEvent, onState, signal, before = 30 }) {
    Object.assign(this, { caller, onEvent, onState, signal, before });
    this.known = new Set();
    this.read = new Map();
  }

  async open() {
    this.onState('connecting');
    const { default: mqtt } = await import('./packages/mqtt.js');
    if (this.signal.aborted) return;
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/mqtt`;
    /* Timers of its own would run in a worker made of text, which the page's policy forbids. */
    const client = mqtt.connect(url, { ...this.caller.login, protocolVersion: 5, timerVariant: 'native', reconnectPeriod: 1000,
                                       connectTimeout: 20_000, properties: { receiveMaximum: 500 } });
    client.on('connect', () => this.begin(client));
    client.on('reconnect', () => this.onState('reconnecting'));
    client.on('error', (error) => this.refused(client, error));
    client.on('message', (topic, payload) => this.heard(topic, payload));
    this.signal.addEventListener('abort', () => client.end(true));
  }

  async begin(client) {
    const topic = this.caller.isOfEveryMerchant ? 'checkout/v1/#' : `checkout/v1/${this.caller.merchant}/#`;
    try {
      await client.subscribeAsync(topic, { qos: 1 });
      await Promise.all(SOURCES.map((source) => this.catchUp(source)));
      if (client.connected) this.onState('connected');
    } catch {
      /* The connection went, or a service is away: the next one begins again. */
      if (client.connected) this.onState('connected');
    }
  }

  /* A key that is no login (any more) will be none later. */
  refused(client, { code }) {
    if (code !== 134 && code !== 135) return;
    client.end(true);
    this.onState('refused');
  }

  heard(topic, payload) {
    if (topic.startsWith('checkout/v1/service/')) return;
    try {
      this.take(JSON.parse(new TextDecoder().decode(payload)), true);
    } catch (error) {
      console.warn('a message that is no event', topic, error.message);
    }
  }

  take(event, isLive) {
    if (this.signal.aborted || this.known.has(event.id)) return;
    this.known.add(event.id);
    if (this.known.size > KNOWN_MAX) this.known.delete(this.known.values().next().value);
    this.onEvent(event, isLive);
  }

  /* What a log has beyond what was read of it; at first, its last few events. */
  async catchUp(source) {
    const path = `/services/${source}/v1/events`;
    let after = this.read.get(source);
    if (after === undefined) after = Math.max(0, (await this.page(path, 0, 1)).head - this.before);
    for (;;) {
      const { data, head, next_after } = await this.page(path, after, PAGE);
      for (const event of data) this.take(event, false);
      after = next_after ?? head;
      this.read.set(source, after);
      if (data.length === 0 || after >= head) return;
    }
  }

  page(path, after, limit) {
    return this.caller.api.get(path, { after, limit }, this.signal);
  }
}
