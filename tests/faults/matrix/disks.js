/*
 * Full disks: not a byte is left for Postgres, for the broker or for the logs, while every process
 * runs under its supervisor. What can not be stored is refused, and once there is room again all goes
 * on by itself.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { SmallDisk } from '../../support/disk.js';
import { waitFor } from '../../support/wait.js';

const FULL_S = 10;

/*
 * Below the stack's home, and megabytes that are free until the fault. Rounds follow each other on one
 * stack: Postgres gives no segment of its log back before its first checkpoint, minutes later, and tells
 * each statement that found no room. Where that can not be written, whoever tells it stands still.
 */
const PLACES = {
  postgres: { directory: 'postgres', room: 1024 },
  broker: { directory: 'broker/data', room: 4 },
  log: { directory: 'log', room: 256 },
};

/** Puts each of them on a disk of its own; the stack is down. */
export function putOnSmallDisks(stack) {
  const under = ({ directory, room }) => SmallDisk.under(path.join(stack.asked, directory), room);
  return Object.fromEntries(Object.entries(PLACES).map(([name, place]) => [name, under(place)]));
}

const full = (name) => ({
  id: `full ${name}`,
  what: `the disk of the ${name} is full for ${FULL_S} s`,
  kind: 'disks',
  seconds: FULL_S,
  async begin({ stack, disks }) {
    const disk = disks[name];
    disk.fill();
    await waitFor('the disk to be full', () => disk.isFull, { every: 5 });
    return () => {
      disk.empty();
      if (name === 'postgres') expectNoticed(stack);
    };
  },
});

/** Postgres has wanted room, and said that there is none. */
function expectNoticed(stack) {
  const said = readFileSync(path.join(stack.home, 'log', 'postgres', 'current'), 'utf8');
  assert.match(said, /No space left on device/);
}

export const diskRows = Object.keys(PLACES).map(full);
