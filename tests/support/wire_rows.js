/*
 * Requests that no well-behaved client would send, as rows: what is wrong, the bytes, and what has
 * to come of them - directly at a service, and through the edge where that answers in its own way.
 *
 * `direct` is the status and code of the problem document. `edge` lists the statuses that are right
 * there; without it that is the status of `direct`, or 400. A row with `served: 1` is strange and
 * still good: it has its effect, once.
 */
import { requestText } from './wire.js';

const filler = (count) => Array.from({ length: count }, (_, i) => `X-${i}: y`);

/** Headers beyond the standard ones, in front of a whole body; sent with every method. */
export const headerRows = [
  /* where the body ends */
  ['Content-Length with a plus sign', ['Content-Length: +5'], '400 content_length_malformed'],
  ['Content-Length in hexadecimal', ['Content-Length: 0x5'], '400 content_length_malformed'],
  ['Content-Length with a tail', ['Content-Length: 5abc'], '400 content_length_malformed'],
  ['Content-Length with a fraction', ['Content-Length: 5.0'], '400 content_length_malformed'],
  ['a negative Content-Length', ['Content-Length: -1'], '400 content_length_malformed'],
  ['an empty Content-Length', ['Content-Length: '], '400 content_length_malformed'],
  ['a list as Content-Length', ['Content-Length: 5, 5'], '400 content_length_malformed'],
  ['Content-Length twice', ['Content-Length: 5', 'Content-Length: 5'], '400 header_repeated'],
  ['two Content-Lengths', ['Content-Length: 5', 'Content-Length: 6'], '400 header_repeated'],
  ['Content-Length of 2^70', ['Content-Length: 1180591620717411303424'], '413 body_too_large'],
  ['Content-Length of 2^64 + 5', ['Content-Length: 18446744073709551621'], '413 body_too_large'],
  ['Content-Length of 10 digits', ['Content-Length: 9999999999'], '413 body_too_large'],
  [
    'Transfer-Encoding with Content-Length',
    ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    '400 framing_ambiguous',
  ],
  [
    'Content-Length with Transfer-Encoding',
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    '400 framing_ambiguous',
  ],
  ['an unknown transfer coding', ['Transfer-Encoding: gzip'], '501 transfer_encoding_unknown'],
  ['chunked twice over', ['Transfer-Encoding: chunked, chunked'], '501 transfer_encoding_unknown'],
  ['chunked and more', ['Transfer-Encoding: chunked, gzip'], '501 transfer_encoding_unknown'],
  ['more and chunked', ['Transfer-Encoding: gzip, chunked'], '501 transfer_encoding_unknown'],
  [
    'Transfer-Encoding twice',
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    '400 header_repeated',
  ],
  ['chunked in quotes', ['Transfer-Encoding: "chunked"'], '501 transfer_encoding_unknown'],
  [
    'chunked behind a vertical tab',
    ['Transfer-Encoding: \x0bchunked'],
    '400 request_malformed',
    { edge: [400, 501] },
  ],
  ['an unknown expectation', ['Expect: tea', 'Content-Length: 5'], '400 expectation_unknown'],

  /* names and lines */
  ['a blank before the colon', ['Content-Length : 5'], '400 header_malformed'],
  ['a tab before the colon', ['Content-Length\t: 5'], '400 request_malformed'],
  ['a folded header', ['X-Folded: a', ' b'], '400 header_malformed'],
  ['a folded coding', ['Transfer-Encoding:', ' chunked'], '501 transfer_encoding_unknown'],
  ['a header without a name', [': value'], '400 header_malformed'],
  /* nginx takes the first for an empty header, and the second for two: nothing is hidden */
  ['a header without a colon', ['Nonsense'], '400 request_malformed', { edge: [200, 400] }],
  ['a bracket in a name', ['X(: y'], '400 header_malformed'],
  ['a bare line feed', ['X-One: y\nX-Two: z'], '400 header_malformed', { edge: [200, 400] }],
  ['a byte beyond ASCII in a name', ['X\xe4: y'], '400 request_malformed'],
  ['a NUL in a header', ['X-Nul: a\0b'], '400 request_malformed'],
  ['a control character in a header', ['X-Bell: \x07'], '400 request_malformed'],
  ['a bare carriage return', ['X-One: y\rX-Two: z'], '400 request_malformed'],

  /* headers of which there is one */
  ['Idempotency-Key twice', ['Idempotency-Key: a', 'Idempotency-Key: b'], '400 header_repeated'],
  ['If-Match twice', ['If-Match: "1"', 'If-Match: "1"'], '400 header_repeated'],
  ['Authorization twice', ['Authorization: Bearer ck_a_b'], '400 header_repeated'],
  ['Content-Type twice', ['Content-Type: text/plain'], '400 header_repeated'],
  ['Host twice', ['Host: elsewhere'], '400 header_repeated'],

  /* too many and too long */
  ['64 headers', filler(61), '431 headers_too_many'],
  ['100 headers', filler(97), '431 headers_too_many'],
].map(([label, headers, direct, row]) => ({ label, headers, direct, ...row }));

/** First lines, in front of the standard headers. */
export const firstLineRows = [
  ['another version', 'GET /v1/orders HTTP/2.0', '400 version_unknown'],
  ['a version of the future', 'GET /v1/orders HTTP/1.2', '400 version_unknown', { edge: [200] }],
  ['another protocol', 'GET /v1/orders ICE/1.1', '400 request_malformed'],
  ['no protocol', 'GET /v1/orders', '400 request_malformed', { bare: true }],
  ['two blanks', 'GET  /v1/orders HTTP/1.1', '400 request_line_malformed', { edge: [200] }],
  [
    'two blanks behind',
    'GET /v1/orders  HTTP/1.1',
    '400 request_line_malformed',
    { edge: [200] },
  ],
  ['a tab', 'GET\t/v1/orders HTTP/1.1', '400 request_malformed'],
  ['a blank in the target', 'GET /v1/or ders HTTP/1.1', '400 request_malformed'],
  ['no method at all', '/v1/orders HTTP/1.1', '400 request_malformed'],
  ['an invented method', 'BREW /v1/orders HTTP/1.1', '501 method_unknown'],
  ['a method in small letters', 'get /v1/orders HTTP/1.1', '501 method_unknown'],
  ['CONNECT', 'CONNECT example.com:80 HTTP/1.1', '501 method_unknown'],
  ['TRACE', 'TRACE /v1/orders HTTP/1.1', '501 method_unknown', { edge: [405] }],
  ['a star', 'GET * HTTP/1.1', '400 target_malformed'],
  ['a path without a slash', 'GET v1/orders HTTP/1.1', '400 request_malformed'],
  [
    'another host',
    'GET http://elsewhere/v1/orders HTTP/1.1',
    '400 target_malformed',
    { edge: [200] },
  ],
  ['an encoded NUL', 'GET /v1/orders/%00 HTTP/1.1', '400 path_malformed'],
  ['an encoded slash', 'GET /v1%2forders HTTP/1.1', '400 path_malformed'],
  ['a needlessly encoded letter', 'GET /v1/%6frders HTTP/1.1', '400 path_malformed'],
  ['a broken escape', 'GET /v1/orders/%g1 HTTP/1.1', '400 path_malformed'],
  ['two slashes', 'GET //v1/orders HTTP/1.1', '400 path_malformed'],
  ['two slashes inside', 'GET /v1//orders HTTP/1.1', '400 path_malformed'],
  ['a slash behind', 'GET /v1/orders/ HTTP/1.1', '400 path_malformed'],
  ['a dot segment', 'GET /v1/./orders HTTP/1.1', '400 path_malformed'],
  ['two dots', 'GET /v1/../v1/orders HTTP/1.1', '400 path_malformed'],
  ['encoded dots', 'GET /v1/%2e%2e/v1/orders HTTP/1.1', '400 path_malformed'],
  ['a longer name', 'GET /v1/ordersX HTTP/1.1', '404 not_found'],
  ['capitals', 'GET /V1/ORDERS HTTP/1.1', '404 not_found'],
  ['a backslash', 'GET /v1\\orders HTTP/1.1', '400 path_malformed', { edge: [404] }],
  ['a fragment', 'GET /v1/orders#all HTTP/1.1', '400 path_malformed'],
  ['a byte beyond ASCII', 'GET /v1/\xc3\xa4 HTTP/1.1', '400 request_malformed', { edge: [404] }],
].map(([label, line, direct, row]) => ({ label, line, direct, ...row }));

const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;

/**
 * Bodies of a POST with Transfer-Encoding: chunked; `code` makes one of a good order. `cut`: it
 * ends with its connection, which nginx then closes without a word, whatever its settings.
 */
export const chunkRows = [
  ['whole in one chunk', (body) => `${chunk(body)}0\r\n\r\n`, { served: 1 }],
  ['byte by byte', (body) => `${[...body].map(chunk).join('')}0\r\n\r\n`, { served: 1 }],
  ['with a trailer', (body) => `${chunk(body)}0\r\nX-Sum: 5\r\n\r\n`, { served: 1 }],
  [
    'with zeros in front of a size',
    (body) => `000${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    { served: 1 },
  ],
  /* civetweb knows no extensions; the edge passes bodies on without */
  [
    'with an extension',
    (body) => `${body.length.toString(16)};a=b\r\n${body}\r\n0\r\n\r\n`,
    { direct: '400 body_incomplete', edge: [201] },
  ],
  ['with a size that is no number', (body) => `zz\r\n${body}\r\n0\r\n\r\n`],
  ['with a size in front of a blank', (body) => ` ${chunk(body)}0\r\n\r\n`],
  ['with a sign', (body) => `+${chunk(body)}0\r\n\r\n`],
  ['with 0x', (body) => `0x${chunk(body)}0\r\n\r\n`],
  ['with a negative size', (body) => `-5\r\n${body}\r\n0\r\n\r\n`],
  ['without a size', (body) => `\r\n${body}\r\n0\r\n\r\n`],
  ['longer than its size', (body) => `5\r\n${body}\r\n0\r\n\r\n`],
  [
    'shorter than its size',
    (body) => `${(body.length + 9).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    { cut: true },
  ],
  ['of 2^64 and more', (body) => `1${'0'.repeat(16)}\r\n${body}\r\n0\r\n\r\n`],
  ['of 2^63 bytes', (body) => `8${'0'.repeat(15)}\r\n${body}\r\n0\r\n\r\n`],
  ['without the last chunk', (body) => chunk(body), { cut: true }],
  ['cut in a chunk', (body) => chunk(body).slice(0, -20), { cut: true }],
].map(([label, code, row]) => ({ label, code, direct: '400 body_incomplete', ...row }));

/**
 * Requests that hide another one from some readers: `hidden` is the text of a whole request, for an
 * order that must not be made. `plain`: to nginx, which takes a bare line feed for the end of a
 * line and upgrades nothing, it is no secret but the next request, and it frames both anew.
 */
export const smugglingRows = [
  [
    'behind a body that ends for Transfer-Encoding',
    ({ hidden, head }) => {
      const length = `Content-Length: ${hidden.length + 5}`;
      return `${head('Transfer-Encoding: chunked', length)}0\r\n\r\n${hidden}`;
    },
  ],
  [
    'in a chunk, with a short Content-Length',
    ({ hidden, head }) =>
      `${head('Content-Length: 4', 'Transfer-Encoding: chunked')}${chunk(hidden)}0\r\n\r\n`,
  ],
  [
    'behind a second Content-Length',
    ({ hidden, head }) =>
      `${head('Content-Length: 0', `Content-Length: ${hidden.length}`)}${hidden}`,
  ],
  [
    'in the body of a GET',
    ({ hidden, head }) =>
      `${head(`Content-Length: ${hidden.length}`).replace('POST', 'GET')}${hidden}`,
  ],
  [
    'in the body of a HEAD',
    ({ hidden, head }) =>
      `${head(`Content-Length: ${hidden.length}`).replace('POST', 'HEAD')}${hidden}`,
  ],
  [
    'in the chunks of a GET',
    ({ hidden, head }) =>
      `${head('Transfer-Encoding: chunked').replace('POST', 'GET')}${chunk(hidden)}0\r\n\r\n`,
  ],
  [
    'in the body of a DELETE',
    ({ hidden, head }) =>
      `${head(`Content-Length: ${hidden.length}`).replace('POST', 'DELETE')}${hidden}`,
  ],
  [
    'in the body of an OPTIONS',
    ({ hidden, head }) =>
      `${head(`Content-Length: ${hidden.length}`).replace('POST', 'OPTIONS')}${hidden}`,
  ],
  [
    'in a body that is not JSON',
    ({ hidden, head }) => `${head(`Content-Length: ${hidden.length}`)}${hidden}`,
  ],
  [
    'in a body that is refused for its type',
    ({ hidden, head }) => {
      const typed = head(`Content-Length: ${hidden.length}`);
      return `${typed.replace('application/json', 'text/plain')}${hidden}`;
    },
  ],
  [
    'in a body without a key',
    ({ hidden, head }) =>
      `${head(`Content-Length: ${hidden.length}`).replace(/Authorization: .*\r\n/, '')}${hidden}`,
  ],
  [
    'behind Transfer-Encoding with a blank before its colon',
    ({ hidden, head }) => `${head('Transfer-Encoding : chunked')}0\r\n\r\n${hidden}`,
  ],
  [
    'behind a folded Transfer-Encoding',
    ({ hidden, head }) => `${head('Transfer-Encoding:\r\n chunked')}0\r\n\r\n${hidden}`,
  ],
  [
    'behind Transfer-Encoding after a bare line feed',
    ({ hidden, head }) => {
      const length = `Content-Length: ${hidden.length}`;
      return `${head(length, 'X: y\nTransfer-Encoding: chunked')}0\r\n\r\n${hidden}`;
    },
  ],
  [
    'behind Content-Length after a bare carriage return',
    ({ hidden, head }) => `${head(`X: y\rContent-Length: ${hidden.length}`)}${hidden}`,
  ],
  [
    'behind an unknown transfer coding',
    ({ hidden, head }) => `${head('Transfer-Encoding: xchunked')}0\r\n\r\n${hidden}`,
  ],
  [
    'behind a chunk size with a bare line feed',
    ({ hidden, head }) => `${head('Transfer-Encoding: chunked')}5\n{"a":\r\n0\r\n\r\n${hidden}`,
    { plain: true },
  ],
  [
    'behind a chunk size with a sign',
    ({ hidden, head }) => `${head('Transfer-Encoding: chunked')}+0\r\n\r\n${hidden}`,
  ],
  [
    'behind a chunk that is longer than its size',
    ({ hidden, head }) => `${head('Transfer-Encoding: chunked')}2\r\n{}{}\r\n0\r\n\r\n${hidden}`,
  ],
  [
    'behind the bare line feeds of an empty line',
    ({ hidden, head }) => `${head('Content-Length: 2').slice(0, -4)}\n\n{}${hidden}`,
    { plain: true },
  ],
  [
    'behind an upgrade',
    ({ hidden, head }) =>
      `${head('Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 2')}{}${hidden}`,
    { plain: true },
  ],
  [
    'behind chunks in HTTP/1.0',
    ({ hidden, head }) =>
      `${head('Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0')}0\r\n\r\n${hidden}`,
  ],
].map(([label, text, row]) => ({ label, text, ...row }));

/** The request in front of a hidden one: `head(...headers)` for POST /v1/orders. */
export function headWith(standard) {
  return (...headers) => requestText('POST /v1/orders HTTP/1.1', [...standard, ...headers]);
}
