/*
 * The page: who is calling, which view is shown, and how one comes to another.
 */
import { element, show } from './element.js';
import { recall, signOut } from './key.js';
import { showSignIn } from './sign_in.js';
import { loading } from './state.js';
import { problemNote } from './problem.js';
import { restoreTheme, themeButton } from './theme.js';

/* In the order in which they stand; each is loaded when it is first looked at. */
const views = [
  { name: 'shop', title: 'Shop', load: () => import('./shop_view.js') },
  { name: 'flow', title: 'Flow', load: () => import('./flow_view.js') },
  { name: 'orders', title: 'Orders', load: () => import('./order_view.js') },
  { name: 'payments', title: 'Payments', load: () => import('./payment_view.js') },
  { name: 'vouchers', title: 'Vouchers', load: () => import('./voucher_view.js') },
  { name: 'gateways', title: 'Gateways', load: () => import('./gateway_view.js') },
  { name: 'dead-letters', title: 'Dead letters', load: () => import('./dead_letter_view.js') },
  { name: 'audit', title: 'Audit', load: () => import('./audit_view.js') },
];

const main = document.getElementById('main');
const navigation = document.getElementById('navigation');
const corner = document.getElementById('caller');

let caller = null;
let leaving = new AbortController();

/** Where the address leads: #/orders/<id> is view orders with ['<id>']. */
function place() {
  const [, name, ...rest] = location.hash.split('/');
  const view = views.find((each) => each.name === name) ?? views[0];
  return { view, rest: rest.filter(Boolean).map(decoded) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function showNavigation(current) {
  show(navigation, views.map(({ name, title }) =>
    element('a', { href: `#/${name}`, 'aria-current': name === current ? 'page' : null }, title)));
  /* By hand: scrollIntoView() would have the Tab key begin there, past the way to the content. */
  const link = navigation.querySelector('[aria-current]');
  navigation.scrollLeft = link.offsetLeft - navigation.offsetLeft - (navigation.clientWidth - link.offsetWidth) / 2;
}

function showCorner() {
  const who = caller.isOfEveryMerchant ? 'every merchant' : caller.merchant;
  show(corner, element('span', { class: 'who', title: `Key ${caller.id}: ${caller.scopes.join(', ')}` }, who),
       themeButton(), element('button', { type: 'button', class: 'quiet', onclick: leave }, 'Sign out'));
}

function leave() {
  signOut();
  caller = null;
  begin();
}

/** Shows the view that the address names; what the one before still does ends. */
async function go({ focus = true } = {}) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { view, rest } = place();
  showNavigation(view.name);
  document.title = `${view.title} · Checkout`;
  show(main, element('h1', {}, view.title), loading(view.title.toLowerCase()));
  if (focus) main.focus();
  try {
    const { open } = await view.load();
    if (!signal.aborted) await open({ main, caller, signal, rest, title: view.title });
  } catch (error) {
    if (!signal.aborted) show(main, element('h1', {}, view.title), problemNote(error, () => go()));
  }
}

function askForKey(problem) {
  leaving.abort();
  show(navigation);
  show(corner, themeButton());
  document.title = 'Checkout';
  showSignIn(main, problem, (known) => {
    caller = known;
    showCorner();
    go();
  });
}

async function begin() {
  try {
    caller = caller ?? (await recall());
  } catch (error) {
    return askForKey(error);
  }
  if (!caller) return askForKey();
  showCorner();
  return go({ focus: false });
}

addEventListener('hashchange', () => caller && go());
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
restoreTheme();
begin();
