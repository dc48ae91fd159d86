/*
 * The bus, as a stranger sees it: a subscriber that knows only the packages mqtt and cloudevents.
 */
import { CloudEvent, MQTT } from 'cloudevents';
import mqtt from 'mqtt';

import { waitFor, within } from './wait.js';

/**
 * Connects with a login and subscribes. Messages are kept in the order of their arrival:
 * { topic, payload, text, properties, retain, event }, where `event` is what the CloudEvents SDK
 * reads (undefined when it can not).
 */
export async function subscribe(url, { username, password }, filters, options = {}) {
  const client = await connect(url, { username, password }, options);
  const subscriber = new Subscriber(client);
  const granted = await client.subscribeAsync([filters].flat(), { qos: 1 });
  subscriber.granted = granted;
  return subscriber;
}

/** A connection alone. */
export function connect(url, { username, password }, options = {}) {
  const connecting = mqtt.connectAsync(url, {
    protocolVersion: 5,
    username,
    password,
    connectTimeout: 5000,
    reconnectPeriod: 0,
    properties: { receiveMaximum: 500 },
    ...options,
  });
  return within(10_000, `connecting to ${url} as ${username}`, connecting);
}

export class Subscriber {
  constructor(client) {
    this.client = client;
    this.messages = [];
    client.on('message', (topic, payload, packet) =>
      this.messages.push(read(topic, payload, packet)),
    );
    client.on('error', () => {});
  }

  /** The CloudEvents received so far. */
  get events() {
    return this.messages.map((message) => message.event).filter(Boolean);
  }

  /** The first message for which `wanted` is true. */
  waitFor(what, wanted, options) {
    return waitFor(
      what,
      (seen) => {
        seen(this.messages.slice(-5).map((message) => message.topic));
        return this.messages.find(wanted);
      },
      options,
    );
  }

  close() {
    return this.client.endAsync(true);
  }
}

function read(topic, payload, packet) {
  const properties = packet.properties ?? {};
  const message = { topic, payload, properties, retain: packet.retain, qos: packet.qos };
  try {
    message.text = payload.toString('utf8');
    const event = MQTT.toEvent({
      PUBLISH: { 'Content Type': properties.contentType },
      headers: properties.userProperties ?? {},
      body: message.text,
      payload: message.text,
    });
    if (event instanceof CloudEvent) message.event = event;
  } catch (error) {
    message.error = error;
  }
  return message;
}

/** Publishes as somebody, with QoS 1, and waits for the acknowledgement. */
export async function publish(url, login, messages) {
  const client = await connect(url, login);
  try {
    for (const { topic, payload, properties } of messages) {
      await within(
        10_000,
        `publishing to ${topic}`,
        client.publishAsync(topic, payload, { qos: 1, properties }),
      );
    }
  } finally {
    await client.endAsync(true);
  }
}
