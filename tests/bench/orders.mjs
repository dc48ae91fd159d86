/*
 * First figures: orders per second over HTTP against the yardstick, alternately in one run; memory
 * of the services; and the time from "sent" to the voucher's row.
 *
 *     node tests/bench/orders.mjs [--rounds 3] [--seconds 4] [--out figures.json]
 *
 * Starts a stack of its own with the binaries that are built (make them release binaries), and needs
 * wrk and pgbench. A machine that does something else meanwhile makes every figure worthless.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

import { openInspector } from '../support/database.js';
import { residentKb } from '../support/proc.js';
import { expectStatus, invoice, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { makeYardstick, runYardstick } from './yardstick.js';

const run = promisify(execFile);

const CONNECTIONS = [16, 64, 128, 256];
const CLIENTS = [1, 8, 16, 32, 64];
const WRK_THREADS = 2;
const LATENCY_ORDERS = 500;

const { values: options } = parseArgs({
    options: {
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '4' },
        out: { type: 'string' },
    },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

const services = ['order-service', 'voucher-service'];

/** One run of wrk; throws when an answer was not 2xx or a connection broke. */
async function runOrders(stack, connections, seed) {
    const lua = fileURLToPath(new URL('orders.lua', import.meta.url));
    const { stdout } = await run(
        'wrk',
        [
            '-t',
            WRK_THREADS,
            '-c',
            connections,
            '-d',
            `${seconds}s`,
            '-s',
            lua,
            stack.env.ORDER_URL,
        ].map(String),
        { env: { ...process.env, KEY: stack.env.CHECKOUT_API_KEY, SEED: String(seed) } },
    );
    const result = JSON.parse(/^RESULT (.*)$/m.exec(stdout)[1]);
    if (result.not_2xx > 0 || result.broken > 0) throw new Error(stdout);
    return {
        perSecond: (result.requests / result.us) * 1e6,
        p50: result.p50_us,
        p99: result.p99_us,
    };
}

/** Both sides by turns; the figures of every round for every count of connections or clients. */
async function compare(stack, memory) {
    const script = await makeYardstick(stack);
    const ours = new Map(CONNECTIONS.map((count) => [count, []]));
    const theirs = new Map(CLIENTS.map((count) => [count, []]));
    for (let round = 0; round < rounds; round++) {
        for (const count of CLIENTS) {
            theirs.get(count).push(await runYardstick(stack, script, count, seconds));
        }
        for (const count of CONNECTIONS) {
            ours.get(count).push(await runOrders(stack, count, round * 1000 + count));
            await note(stack, memory);
        }
        progress(`round ${round + 1} of ${rounds}`);
    }
    return { ours, theirs };
}

/** Keeps the largest resident size that was seen of each service. */
async function note(stack, memory) {
    for (const name of services) {
        const kb = residentKb(await stack.pid(name));
        memory[name] = Math.max(memory[name] ?? 0, kb);
    }
}

/** Milliseconds from the PATCH being sent to the voucher's row being there, one at a time. */
async function voucherLatency(stack) {
    const shop = stack.shop();
    const database = await openInspector(stack, 'vouchers');
    const took = [];
    try {
        for (let i = 0; i < LATENCY_ORDERS + 20; i++) {
            const { id } = await shop.createOrder(invoice(10001));
            const from = performance.now();
            const answer = shop.patch(`/v1/orders/${id}`, { status: 'sent' });
            await untilVoucher(database, id, from);
            took.push(performance.now() - from);
            expectStatus(await answer, 200);
        }
    } finally {
        await database.close();
    }
    return took.slice(20).sort((a, b) => a - b); /* the first ones warm up */
}

async function untilVoucher(database, id, from) {
    const sql = 'SELECT 1 FROM vouchers WHERE stream = 0 AND order_id = $1';
    while ((await database.value(sql, [id])) === undefined) {
        if (performance.now() - from > 10_000) throw new Error(`no voucher for ${id}`);
    }
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
const best = (medians) => [...medians].reduce((a, b) => (b[1] > a[1] ? b : a));
const progress = (text) => process.stderr.write(`${text}\n`);
const whole = (number) => Math.round(number).toLocaleString('en');

function summarize({ ours, theirs }, idle, loaded, latency) {
    const medians = (figures, of) =>
        [...figures].map(([count, list]) => [count, median(list.map(of))]);
    const orders = medians(ours, (figure) => figure.perSecond);
    const yardstick = medians(theirs, (tps) => tps);
    return {
        machine: {
            cpus: os.availableParallelism(),
            memory_gb: Math.round(os.totalmem() / 2 ** 30),
        },
        rounds,
        seconds,
        orders_per_second: Object.fromEntries(orders),
        p99_ms: Object.fromEntries(medians(ours, (figure) => figure.p99 / 1000)),
        yardstick_per_second: Object.fromEntries(yardstick),
        best: { connections: best(orders)[0], clients: best(yardstick)[0] },
        ratio: best(orders)[1] / best(yardstick)[1],
        resident_mb: { idle, loaded },
        sent_to_voucher_ms: { p50: quantile(latency, 0.5), p99: quantile(latency, 0.99) },
    };
}

function print(figures) {
    const row = (name, value) => console.log(`${name.padEnd(44)} ${value}`);
    for (const [count, value] of Object.entries(figures.orders_per_second)) {
        row(
            `orders/s, ${count} connections`,
            `${whole(value)}   p99 ${figures.p99_ms[count].toFixed(1)} ms`,
        );
    }
    for (const [count, value] of Object.entries(figures.yardstick_per_second)) {
        row(`yardstick/s, ${count} clients`, whole(value));
    }
    row('orders/s at best, against the yardstick at best', `${figures.ratio.toFixed(2)} x`);
    for (const name of services) {
        const { idle, loaded } = figures.resident_mb;
        row(
            `memory of ${name}, idle / loaded`,
            `${idle[name].toFixed(1)} / ${loaded[name].toFixed(1)} MB`,
        );
    }
    const { p50, p99 } = figures.sent_to_voucher_ms;
    row('sent to voucher row, idle, p50 / p99', `${p50.toFixed(2)} / ${p99.toFixed(2)} ms`);
}

const megabytes = (memory) =>
    Object.fromEntries(Object.entries(memory).map(([name, kb]) => [name, kb / 1024]));

const stack = await startStack();
try {
    const idle = {};
    const loaded = {};
    await note(stack, idle);
    const latency = await voucherLatency(stack);
    progress('latency measured');
    const lines = [1, 2, 3].map((i) => ({
        sku: `SKU-${i}2345`,
        name: `Thing number ${i}`,
        quantity: 3,
        unit_amount: 5432,
    }));
    const customer = { id: 'customer-123456', email: 'somebody@example.com' };
    await stack.shop().createOrder(order({ customer, payment_terms: 'invoice', lines }));
    const figures = summarize(
        await compare(stack, loaded),
        megabytes(idle),
        megabytes(loaded),
        latency,
    );
    print(figures);
    if (options.out) writeFileSync(options.out, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
    await stack.stop();
}
