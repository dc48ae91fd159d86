/*
 * Hardening: how the programs are built, and what a process of theirs may leave behind.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { top } from '../support/launcher.js';
import { programOf } from '../support/program.js';
import { startStack } from '../support/stack.js';

const PROGRAMS = ['order-service', 'payment-service', 'voucher-service', 'bank-simulator'];

const stack = await startStack();
after(() => stack.stop());

/** What a tool tells about a program. */
const told = (tool, options, program) =>
  execFileSync(tool, [...options, programOf(program)], { encoding: 'utf8', maxBuffer: 1 << 28 });

/** A process's status or limits, as Linux tells them. */
const about = async (name, what) => readFileSync(`/proc/${await stack.pid(name)}/${what}`, 'utf8');

/** Every crash point that stands in the sources of the programs. */
function crashPoints() {
  const sources = ['order-service', 'payment-service', 'voucher-service', 'shared']
    .flatMap((room) => readdirSync(path.join(top, room), { recursive: true }).map((file) => path.join(room, file)))
    .filter((file) => file.endsWith('.c'));
  return sources.flatMap((file) =>
    [...readFileSync(path.join(top, file), 'utf8').matchAll(/CRASH_POINT\("([^"]+)"/g)].map(([, name]) => name),
  );
}

describe('each program', () => {
  for (const program of PROGRAMS) {
    test(`${program} is position-independent, and nothing of it is writable and executable`, () => {
      assert.match(told('readelf', ['-hW'], program), /Type: +DYN \(Position-Independent Executable file\)/);
      const segments = told('readelf', ['-lW'], program);
      assert.match(segments, /GNU_STACK .* RW +0x/);
      assert.doesNotMatch(segments, / (RWE|WE) +0x/);
      assert.doesNotMatch(told('readelf', ['-dW'], program), /TEXTREL|RPATH|RUNPATH/);
    });

    test(`${program} has all its relocations done and read-only before it begins`, () => {
      assert.match(told('readelf', ['-lW'], program), /GNU_RELRO/);
      assert.match(told('readelf', ['-dW'], program), /\(FLAGS_1\) +Flags: NOW PIE/);
    });

    test(`${program} has stack protectors, and checks the sizes of what it writes to`, () => {
      const imports = told('nm', ['-D', '--undefined-only'], program);
      assert.match(imports, /__stack_chk_fail/);
      assert.match(imports, /__vsnprintf_chk/);
    });

    test(`${program} has nothing of the crash points of test builds`, () => {
      const names = crashPoints();
      assert.ok(names.length > 20, `${names}`);
      const texts = new Set(told('strings', ['-a', '-n', '5'], program).split('\n'));
      for (const name of [...names, 'CRASH_POINT', 'crash point']) assert.ok(!texts.has(name), name);
      assert.doesNotMatch(told('nm', [], program), /crash_point_pass|passings|_crash_points$/m);
      assert.doesNotMatch(told('readelf', ['-SW'], program), / crash_points /);
    });
  }
});

describe('each process', () => {
  for (const program of PROGRAMS) {
    test(`${program} makes files for its user only, and no core file`, async () => {
      assert.match(await about(program, 'status'), /^Umask:\s0077$/m);
      assert.match(await about(program, 'limits'), /^Max core file size +0 +0 /m);
    });

    test(`${program} is not root`, { skip: process.getuid() !== 0 && 'nothing is root here' }, async () => {
      const status = await about(program, 'status');
      for (const ids of [/^Uid:((?:\s\d+){4})$/m, /^Gid:((?:\s\d+){4})$/m]) {
        const [, four] = ids.exec(status);
        assert.ok(!four.trim().split(/\s/).includes('0'), `${program}: ${four}`);
      }
      assert.match(status, /^CapEff:\s0+$/m);
    });
  }
});
