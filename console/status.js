/*
 * Status words, each with a tone: color never says anything that the word does not.
 */
import { element } from './element.js';

const tones = {
  good: ['paid', 'sent', 'delivered', 'succeeded', 'approved', 'active', 'redeemed', 'closed', 'ok', 'connected', 'replayed'],
  wait: ['pending', 'processing', 'requires_action', 'authorized', 'reserved', 'half_open', 'connecting', 'reconnecting', 'open',
         'partially_paid', 'unknown'],
  bad: ['failed', 'declined', 'error', 'broken', 'refused', 'circuit_open', 'orphaned'],
};

export function status(word, tone = toneOf(word)) {
  return element('span', { class: 'status', 'data-tone': tone }, word.replaceAll('_', ' '));
}

function toneOf(word) {
  return Object.keys(tones).find((tone) => tones[tone].includes(word)) ?? 'calm';
}
