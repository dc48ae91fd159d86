/*
 * Naughty input, as tables.
 */

const valid =
  '{"customer":{"id":"c"},"currency":"EUR","lines":[{"sku":"a","name":"b","quantity":1,"unit_amount":1}]}';

const utf16 = (text, order) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return order === 'be' ? bytes.swap16() : bytes;
};

const bytes = (...parts) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))),
  );

/* Name, body, and the statuses that may answer it (400 unless said). */
export const badBodies = [
  ['empty', ''],
  ['blank', ' \r\n\t'],
  ['truncated', valid.slice(0, -1)],
  ['truncated inside a string', '{"metadata":{"a":"b'],
  ['followed by more', `${valid}x`],
  ['two documents', `${valid}${valid}`],
  ['followed by a NUL', bytes(valid, [0])],
  ['nested 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000), [413]],
  ['nested as deep as 64 KiB allow', '['.repeat(32_768) + ']'.repeat(32_768)],
  ['nested objects without an end', '{"a":'.repeat(12_000)],
  ['nested deep in a member', `{"metadata":${'['.repeat(32_000)}${']'.repeat(32_000)}}`],
  ['with a member twice', '{"status":"sent","status":"canceled"}'],
  ['with a member twice, deep inside', '{"metadata":{"a":"1","a":"2"}}'],
  ['with a NUL in a text', '{"metadata":{"a":"\\u0000"}}'],
  ['with a NUL in a name', '{"metadata":{"\\u0000":"a"}}'],
  ['with a raw NUL', bytes('{"metadata":{"a":"', [0], '"}}')],
  ['with a raw control character', '{"metadata":{"a":"\u0001"}}'],
  ['with a raw line feed in a text', '{"metadata":{"a":"x\ny"}}'],
  ['with a lone high surrogate', '{"metadata":{"a":"\\ud800"}}'],
  ['with a lone low surrogate', '{"metadata":{"a":"\\udc00"}}'],
  ['with surrogates the wrong way round', '{"metadata":{"a":"\\udc00\\ud800"}}'],
  ['with bytes that are not UTF-8', bytes('{"metadata":{"a":"', [0xff], '"}}')],
  ['with an overlong slash', bytes('{"metadata":{"a":"', [0xc0, 0xaf], '"}}')],
  ['with a surrogate in UTF-8', bytes('{"metadata":{"a":"', [0xed, 0xa0, 0x80], '"}}')],
  [
    'with a code point beyond Unicode',
    bytes('{"metadata":{"a":"', [0xf4, 0x90, 0x80, 0x80], '"}}'),
  ],
  ['with a byte order mark', `\ufeff${valid}`],
  ['UTF-16 LE', utf16(valid, 'le')],
  ['UTF-16 BE', utf16(valid, 'be')],
  ['with a comment', `/* hello */${valid}`],
  ['with single quotes', "{'status':'sent'}"],
  ['with a trailing comma', '{"status":"sent",}'],
  ['with a bare word', '{"status":sent}'],
  ['with NaN', '{"total_amount":NaN}'],
  ['with a leading zero', '{"total_amount":01}'],
  ['with a plus sign', '{"total_amount":+1}'],
  ['with a number beyond every range', `{"total_amount":1${'0'.repeat(400)}}`, [400, 422]],
  ['with a fraction beyond every range', '{"total_amount":1e999}', [400, 422]],
  ['a top-level array', '[]', [400, 422]],
  ['a top-level text', '"order"', [400, 422]],
  ['a top-level number', '1', [400, 422]],
  ['true', 'true', [400, 422]],
  ['null', 'null', [400, 422]],
  ['a byte over the limit', `${valid.slice(0, -1)}${' '.repeat(65_537 - valid.length)}}`, [413]],
];

const line = (overrides) => ({
  lines: [{ sku: 'A', name: 'B', quantity: 1, unit_amount: 100, ...overrides }],
});

const literal = (text) => ({ $raw: text });

/* Amounts that are none, wherever an amount stands. */
const amounts = {
  '-1': literal('-1'),
  '1.0': literal('1.0'),
  '1e2': literal('1e2'),
  '-0.0': literal('-0.0'),
  'a text': '100',
  '2^53': literal('9007199254740992'),
  '2^63 - 1': literal('9223372036854775807'),
  '2^63': literal('9223372036854775808'),
  '-2^63 - 1': literal('-9223372036854775809'),
  true: true,
  'a list': [100],
  'an object': {},
  null: null,
};

/* 2^63 is beyond what a JSON integer is for the parser: the whole document may be refused then. */
const amountRows = Object.entries(amounts).flatMap(([name, value]) => [
  [`a unit_amount of ${name}`, line({ unit_amount: value }), ['/lines/0/unit_amount']],
  [`a quantity of ${name}`, line({ quantity: value }), ['/lines/0/quantity']],
]);

const long = (length) => 'x'.repeat(length);
const currencies = [
  'eur',
  'Eur',
  'EURO',
  'EU',
  '',
  'ZZZ',
  'DEM',
  'FRF',
  'XAU',
  'XXX',
  'XTS',
  '978',
  'EUR ',
  'ＥＵＲ',
];

/* Name, members that replace those of a valid order, and exactly the pointers to be named. */
export const badFields = [
  ...amountRows,
  ['a quantity of 0', line({ quantity: 0 }), ['/lines/0/quantity']],
  ['a quantity of 10,001', line({ quantity: 10_001 }), ['/lines/0/quantity']],
  ['a unit_amount of 10^12 + 1', line({ unit_amount: 10 ** 12 + 1 }), ['/lines/0/unit_amount']],
  [
    'a sum of lines beyond 10^15',
    {
      lines: Array.from(
        { length: 2 },
        () => line({ quantity: 1000, unit_amount: 10 ** 12 }).lines[0],
      ),
    },
    ['/lines'],
  ],
  [
    'a sum of lines beyond 2^63',
    {
      lines: Array.from(
        { length: 500 },
        () => line({ quantity: 10_000, unit_amount: 10 ** 12 }).lines[0],
      ),
    },
    ['/lines'],
  ],
  ['a total_amount of 1.0', { total_amount: literal('13700.0') }, ['/total_amount']],
  ['a total_amount that is a text', { total_amount: '13700' }, ['/total_amount']],
  ['a total_amount of -1', { total_amount: -1 }, ['/total_amount']],
  ...currencies.map((code) => [
    `the currency ${JSON.stringify(code)}`,
    { currency: code },
    ['/currency'],
  ]),
  ['a currency that is a number', { currency: 978 }, ['/currency']],
  ['no currency', { currency: undefined }, ['/currency']],
  ['no lines', { lines: undefined }, ['/lines']],
  ['an empty list of lines', { lines: [] }, ['/lines']],
  ['lines that are an object', { lines: {} }, ['/lines']],
  ['a line that is null', { lines: [null] }, ['/lines/0']],
  ['a line that is a text', { lines: ['lamp'] }, ['/lines/0']],
  [
    'a line without anything',
    { lines: [{}] },
    ['/lines/0/sku', '/lines/0/name', '/lines/0/quantity', '/lines/0/unit_amount'],
  ],
  ['a line with more', line({ color: 'red' }), ['/lines/0/color']],
  ['an empty sku', line({ sku: '' }), ['/lines/0/sku']],
  ['a sku one too long', line({ sku: long(201) }), ['/lines/0/sku']],
  ['a sku one too long in emoji', line({ sku: '😀'.repeat(201) }), ['/lines/0/sku']],
  ['a name that is a number', line({ name: 5 }), ['/lines/0/name']],
  ['no customer', { customer: undefined }, ['/customer']],
  ['a customer that is a text', { customer: 'c' }, ['/customer']],
  ['a customer that is null', { customer: null }, ['/customer']],
  ['a customer without an id', { customer: {} }, ['/customer/id']],
  ['an empty customer id', { customer: { id: '' } }, ['/customer/id']],
  ['a customer id one too long', { customer: { id: long(201) } }, ['/customer/id']],
  ['an empty email', { customer: { id: 'c', email: '' } }, ['/customer/email']],
  ['payment_terms in capitals', { payment_terms: 'INVOICE' }, ['/payment_terms']],
  ['payment_terms that are a number', { payment_terms: 1 }, ['/payment_terms']],
  ['an empty client_reference', { client_reference: '' }, ['/client_reference']],
  ['a client_reference one too long', { client_reference: long(201) }, ['/client_reference']],
  ['metadata that is a list', { metadata: [] }, ['/metadata']],
  ['metadata that is a text', { metadata: 'x' }, ['/metadata']],
  ['a number in metadata', { metadata: { a: 1 } }, ['/metadata/a']],
  ['an object in metadata', { metadata: { a: {} } }, ['/metadata/a']],
  ['a null in metadata', { metadata: { a: null } }, ['/metadata/a']],
  ['a text in metadata one too long', { metadata: { a: long(201) } }, ['/metadata/a']],
  [
    'names with a slash and a tilde in metadata',
    { metadata: { 'a/b': 1, 'm~n': 2 } },
    ['/metadata/a~1b', '/metadata/m~0n'],
  ],
  [
    'members of the server',
    { status: 'paid', merchant_id: 'x', amount_due: 0, id: 'x', version: 1 },
    ['/status', '/merchant_id', '/amount_due', '/id', '/version'],
  ],
  [
    'a member of the prototype',
    { ['__proto__x']: 1, constructor: 1 },
    ['/__proto__x', '/constructor'],
  ],
  ['a name in capitals', { Currency: 'EUR' }, ['/Currency']],
];

/* Texts that have broken somebody's system, all of them valid. */
export const naughtyTexts = [
  ' ',
  'x'.repeat(200),
  '😀'.repeat(200),
  '\u{10ffff}'.repeat(200),
  'null',
  'undefined',
  '0',
  '1e400',
  '-',
  '"',
  "'",
  '\\',
  '\\u0000',
  '/',
  '\t\r\n',
  '\u0001\u001f\u007f\u0080\u009f',
  '\u2028\u2029',
  '\ufeffbom',
  '\ufffe\uffff',
  'مرحبا بالعالم',
  'שלום \u202eevil\u202c',
  '中文 日本語 한국어',
  'e\u0301 versus \u00e9',
  'Z\u0351\u036b\u0343a\u0334lgo',
  '\u200bzero\u200cwidth\u200d\u2060',
  '👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪',
  '\u{1f468}\u{1f3fd}',
  "'; DROP TABLE orders; --",
  "Robert'); DELETE FROM events; --",
  '" OR 1=1 --',
  '$1 $$ $tag$',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '&amp; &#0; %00 %2e%2e%2f',
  '%s%n%d%x%p',
  '{{7*7}} ${7*7} #{7*7} <%= 7*7 %>',
  '`id` $(id) | id ; id',
  '../../etc/passwd',
  'C:\\nul',
  '{"a":"b"}',
  '[1, 2]',
  'a+b&c=d?e#f',
  'checkout/v1/#/+',
  'NaN',
  '=1+1',
  'ﷺ',
  '\u0130\u0131\u017f\u212a',
];
