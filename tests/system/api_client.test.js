/*
 * A client made of the API documents, by openapi-typescript and openapi-fetch, does what a shop does;
 * and the compiler, which has nothing but the documents to go by, finds nothing wrong with it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

import openapiTypes, { astToString } from 'openapi-typescript';
import typescript from 'typescript';

import { documentOf, SERVICES } from '../support/api_documents.js';
import { top } from '../support/launcher.js';
import { mistake, story } from '../support/api_story.ts';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const source = path.join(top, 'tests', 'support', 'api_story.ts');

const directory = mkdtempSync(path.join(os.tmpdir(), 'checkout-types-'));
after(() => rmSync(directory, { recursive: true }));

/** Types of each service, where the story's `checkout/<service>` is looked for. */
async function makeTypes() {
  for (const service of SERVICES) {
    const types = astToString(await openapiTypes(documentOf(service)));
    writeFileSync(path.join(directory, `${service}.ts`), types);
  }
}

function complaints() {
  const program = typescript.createProgram([source], {
    noEmit: true,
    strict: true,
    target: typescript.ScriptTarget.ES2022,
    module: typescript.ModuleKind.ESNext,
    moduleResolution: typescript.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    paths: { 'checkout/*': [path.join(directory, '*')] },
  });
  return typescript.getPreEmitDiagnostics(program).map((found) => {
    const line = found.file ? found.file.getLineAndCharacterOfPosition(found.start).line + 1 : 0;
    return `${found.file?.fileName}:${line}: ${typescript.flattenDiagnosticMessageText(found.messageText, '\n')}`;
  });
}

test('the compiler finds nothing wrong with a client, but what is wrong on purpose', async () => {
  await makeTypes();
  assert.deepEqual(complaints(), []);
});

test('a generated client orders, pays, sends and gives money back', async () => {
  const stack = await startStack();
  try {
    const { CHECKOUT_URL, CHECKOUT_API_KEY } = stack.env;
    const { order, payment, refund } = await story(CHECKOUT_URL, CHECKOUT_API_KEY);
    assert.equal(order.status, 'sent');
    assert.equal(order.total_amount, 13700);
    assert.equal(payment.status, 'succeeded');
    assert.equal(payment.amount, 13700);
    assert.equal(refund.status, 'succeeded');
    assert.equal(refund.amount, 700);
    assert.equal(await mistake(CHECKOUT_URL, CHECKOUT_API_KEY), 'not_found');
    const shop = stack.shop(CHECKOUT_URL);
    await waitFor('the order to know of the refund', async (seen) => {
      const now = await shop.order(order.id);
      seen(now.payment_status);
      return now.payment_status === 'partially_refunded';
    });
  } finally {
    await stack.stop();
  }
});
