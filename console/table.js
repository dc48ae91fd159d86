/*
 * Tables of what the API lists, page by page.
 */
import { button, element, show } from './element.js';
import { fill } from './state.js';

/**
 * Columns are { title, cell(row), wide?, end? }: a wide one is left out on a phone, `end` aligns
 * numbers.
 */
export function table(label, columns, rows) {
  const body = element('tbody', {}, rows.map((row) => tableRow(columns, row)));
  const head = element('thead', {}, element('tr', {}, columns.map((column) =>
    element('th', { scope: 'col', class: classOf(column) }, column.title))));
  return element('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': label }, element('table', {}, head, body));
}

function tableRow(columns, row) {
  return element('tr', {}, columns.map((column) => element('td', { class: classOf(column) }, column.cell(row))));
}

function classOf({ wide, end }) {
  return [wide && 'wide', end && 'end'].filter(Boolean).join(' ') || null;
}

/** Fills `place` with the list at `path`, or with `nothing` when it is empty. */
export function list(place, { api, what, path, query, columns, nothing, signal }) {
  return fill(place, what, signal, async () => {
    const { data, next_cursor } = await api.get(path, query, signal);
    if (data.length === 0) return nothing;
    const made = table(what, columns, data);
    return [made, moreButton(made, { api, what, path, query, columns, signal }, next_cursor)];
  });
}

/** Adds the next page below, while there is one. */
function moreButton(made, source, cursor) {
  if (!cursor) return null;
  const place = element('div', { class: 'more' });
  const next = async () => {
    await fill(place, source.what, source.signal, async () => {
      const { data, next_cursor } = await source.api.get(source.path, { ...source.query, cursor }, source.signal);
      made.querySelector('tbody').append(...data.map((row) => tableRow(source.columns, row)));
      return moreButton(made, source, next_cursor);
    });
  };
  show(place, button('Show more', next, { class: 'quiet' }));
  return place;
}

/** Facts about one thing, as [name, value] pairs; what is null is left out. */
export function facts(...pairs) {
  return element('dl', { class: 'facts' }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
}

/** A link to what has this id; of the id its two ends, on a phone the last few digits. */
export function idLink(view, id) {
  return element('a', { href: `#/${view}/${id}`, class: 'id', title: id }, element('span', { class: 'wide' }, id.slice(0, 8)), `…${id.slice(-4)}`);
}
