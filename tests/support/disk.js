/*
 * A small disk of its own for a directory of a stack that is down: a tmpfs, which can be filled to
 * its last byte while everything else has room. Only root can mount one.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync, statSync, statfsSync, writeSync } from 'node:fs';
import path from 'node:path';

const MEGABYTE = 1 << 20;
const FILLER = 'filler';

/* What a full disk gets back by itself, as when a log is rotated, is taken again. */
const AGAIN_MS = 20;

export class SmallDisk {
  /** Puts the directory and what is in it on a disk with that many megabytes of room. */
  static under(directory, megabytes) {
    const { uid, gid, mode } = statSync(directory);
    const aside = `${directory}.aside`;
    const used = Number(execFileSync('du', ['-sm', directory], { encoding: 'utf8' }).split('\t')[0]);
    const options = `size=${used + megabytes}m,uid=${uid},gid=${gid},mode=${(mode & 0o7777).toString(8)}`;
    renameSync(directory, aside);
    execFileSync('mkdir', [directory]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]);
    execFileSync('cp', ['-a', `${aside}/.`, directory]);
    rmSync(aside, { recursive: true });
    return new SmallDisk(directory);
  }

  constructor(directory) {
    this.directory = directory;
    this.filler = path.join(directory, FILLER);
  }

  /** Leaves not a byte, until it is emptied. */
  fill() {
    const file = openSync(this.filler, 'w');
    const more = () => {
      while (writeAll(file, Buffer.alloc(MEGABYTE)) || writeAll(file, Buffer.alloc(1)));
    };
    more();
    const timer = setInterval(more, AGAIN_MS).unref();
    this.empty = () => {
      clearInterval(timer);
      closeSync(file);
      rmSync(this.filler);
    };
  }

  get isFull() {
    return statfsSync(this.directory).bavail === 0;
  }

  /** Whatever is on it is gone. */
  end() {
    execFileSync('umount', ['--lazy', this.directory]);
  }
}

/** False when the disk is full. */
function writeAll(file, bytes) {
  try {
    return writeSync(file, bytes) === bytes.length;
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
    return false;
  }
}
