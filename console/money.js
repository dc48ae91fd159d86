/*
 * Money: integers in minor units, shown in the units that people use. No arithmetic on fractions.
 */

function digitsOf(currency) {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
}

/** 13700 EUR is "€137.00". */
export function money(amount, currency) {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(decimal(amount, currency));
}

/** 13700 EUR is "137.00". */
export function decimal(amount, currency) {
  const digits = digitsOf(currency);
  const text = String(amount).padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** "137", "137.5" and "137,50" EUR are 13700 and more; undefined is what can not be read. */
export function minorUnits(text, currency) {
  const digits = digitsOf(currency);
  const [, whole, fraction = ''] = /^(\d{1,13})(?:[.,](\d*))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > digits) return undefined;
  return Number(whole + fraction.padEnd(digits, '0'));
}
