/*
 * Light or dark: what the system says, until the reader says otherwise.
 */
import { element } from './element.js';

const PLACE = 'checkout.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

export function isDark() {
  return (document.documentElement.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
}

export function restoreTheme() {
  const kept = localStorage.getItem(PLACE);
  if (kept === 'dark' || kept === 'light') document.documentElement.dataset.theme = kept;
  system.addEventListener('change', tell);
}

/** Told to charts, which take their colors once. */
function tell() {
  document.dispatchEvent(new Event('themechange'));
}

export function themeButton() {
  const label = () => (isDark() ? 'Light' : 'Dark');
  const made = element('button', { type: 'button', class: 'quiet', onclick: () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    localStorage.setItem(PLACE, document.documentElement.dataset.theme);
    made.textContent = label();
    tell();
  } }, label());
  return made;
}
