/*
 * A browser: Debian's Chromium, as somebody who looks at the console has it.
 *
 * Whatever the page does that it should not is kept in `complaints`: a script that fails, a breach of
 * its Content-Security-Policy, a request to anywhere but the edge.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

import { SLOWDOWN } from './slowdown.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const LAPTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/* Of a table: two lines. */
const HEADING_MAX = 70;
const PATIENCE_MS = 10_000 * SLOWDOWN;

export async function startBrowser() {
  return new Browser(await chromium.launch({
    executablePath: process.env.CHECKOUT_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server'],
  }));
}

class Browser {
  constructor(program) {
    this.program = program;
  }

  /** A visitor of their own, with nothing kept; `key` signs in. */
  async visit(url, { key, phone = false, dark = false } = {}) {
    const context = await this.program.newContext({
      viewport: phone ? PHONE : LAPTOP, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const visitor = new Visitor(context, page, url);
    await page.goto(url);
    if (key) await visitor.signIn(key);
    return visitor;
  }

  close() {
    return this.program.close();
  }
}

class Visitor {
  constructor(context, page, url) {
    Object.assign(this, { context, page, url, complaints: [], asked: new Set() });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => this.note(message));
    page.on('dialog', (dialog) => {
      this.complaints.push(`a script of somebody's ran: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    page.on('request', (request) => this.asked.add(new URL(request.url()).origin));
    page.on('websocket', (socket) => this.asked.add(new URL(socket.url()).origin.replace(/^ws/, 'http')));
  }

  /* A status that is no success is said by the browser too: that is an answer, and no mistake. */
  note(message) {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (/^Failed to load resource|WebSocket connection to/.test(message.text())) return;
    this.complaints.push(message.text());
  }

  async signIn(key) {
    await this.page.getByLabel('API key').fill(key);
    await this.page.getByRole('button', { name: 'Enter' }).click();
    await this.page.locator('nav a[aria-current]').waitFor();
  }

  /** Goes to a view, and waits until what it loads is there. */
  async open(view) {
    await this.page.evaluate((hash) => new Promise((resolve) => {
      if (location.hash === hash) return resolve();
      addEventListener('hashchange', () => resolve(), { once: true });
      location.hash = hash;
    }), `#/${view}`);
    await this.settle();
  }

  async settle() {
    await this.page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('main p.loading'));
  }

  /** What the page's main part says. */
  text() {
    return this.page.locator('main').innerText();
  }

  /** No violation of what axe knows of WCAG and good practice. */
  async expectAccessible(what) {
    const session = await this.context.newCDPSession(this.page);
    /* As a debugger does it: the page's policy lets no script in. */
    await session.send('Runtime.evaluate', { expression: axe });
    const { result } = await session.send('Runtime.evaluate', {
      expression: `axe.run(document).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) =>
        ({ id, nodes: nodes.map(({ html, failureSummary }) => html + ": " + failureSummary) }))))`,
      awaitPromise: true,
    });
    assert.deepEqual(JSON.parse(result.value), [], what);
  }

  /** Nothing is wider than the window and no column too narrow for its heading: nobody scrolls sideways to read. */
  async expectFits(what) {
    const [inner, scroll] = await this.page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
    assert.ok(scroll <= inner, `${what} is ${scroll} pixels wide in a window of ${inner}`);
    const tables = await this.page.locator('.scroll').evaluateAll((all) => all.map((each) =>
      ({ room: each.clientWidth, width: each.scrollWidth, heading: each.querySelector('thead').offsetHeight })));
    for (const { room, width, heading } of tables) {
      assert.ok(width <= room, `a table of ${what} is ${width} pixels wide in a place of ${room}`);
      assert.ok(heading < HEADING_MAX, `a heading of ${what} is ${heading} pixels high`);
    }
  }

  /** The page asked nobody but the edge, and the browser had nothing to say. */
  expectNoComplaint() {
    assert.deepEqual(this.complaints, []);
    assert.deepEqual([...this.asked], [new URL(this.url).origin]);
  }

  close() {
    return this.context.close();
  }
}
