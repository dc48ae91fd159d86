/*
 * Audit: what the newest one found, and what each invariant means.
 */
import { element, show } from './element.js';
import { moment } from './moment.js';
import { empty, fill, forbidden } from './state.js';
import { status } from './status.js';

const ROWS_SHOWN = 20;

export async function open({ main, caller, signal, title }) {
  const place = element('div', {});
  show(main, element('h1', {}, title),
       element('p', { class: 'lead' }, 'What has to be true of all databases together, whatever died in between, and whether it is.'), place);
  if (!caller.may('operator')) return show(place, forbidden('operator'));
  await fill(place, 'the newest audit', signal, () => newest(caller.api, signal));
}

async function newest(api, signal) {
  try {
    return report(await api.get('/reports/audit', {}, signal));
  } catch (error) {
    if (error.status !== 404) throw error;
    return empty('No audit was made yet', [element('code', {}, './checkout audit'), ' makes one, and its result is shown here.']);
  }
}

function report({ made_at, invariants }) {
  const broken = invariants.filter(({ ok }) => !ok).length;
  return [
    element('p', { class: 'verdict' }, broken === 0 ? status('ok') : status('broken'), ' ',
            broken === 0 ? `All ${invariants.length} invariants hold. `
              : `${broken} of ${invariants.length} invariants ${broken === 1 ? 'is' : 'are'} broken. `,
            'Made ', moment(made_at), '.'),
    element('ul', { class: 'invariants' }, invariants.map(invariant)),
  ];
}

/* Its sentence; what it means on demand, and at once where it is broken. */
function invariant({ id, what, ok, rows, meaning }) {
  return element('li', {}, element('details', { open: !ok },
                                   element('summary', {}, element('code', {}, id), element('h2', {}, what), status(ok ? 'ok' : 'broken')),
                                   element('p', {}, meaning), rows.length > 0 && offenders(id, rows)));
}

function offenders(id, rows) {
  return element('pre', { tabindex: '0', 'aria-label': `Rows that break ${id}` },
                 rows.slice(0, ROWS_SHOWN).map((row) => `${JSON.stringify(row)}\n`),
                 rows.length > ROWS_SHOWN && `... and ${rows.length - ROWS_SHOWN} more`);
}
