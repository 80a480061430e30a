import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { strftime } from './strftime.ts';

const morning = new Date(2026, 10, 3, 9, 5, 7);

test('a timestamp format is written in local time', () => {
  assert.equal(strftime('%Y-%m-%dT%H:%M:%S')(morning), '2026-11-03T09:05:07');
  assert.equal(strftime('%a %e %b, %I:%M %p')(morning), 'Tue  3 Nov, 09:05 AM');
});

test('a directive nobody knows stays as it was written', () => {
  assert.equal(strftime('%Q %5 %%Y %')(morning), '%Q %5 %Y %');
});

const dateWorks = spawnSync('date', ['-d', '@0', '+%s'], { encoding: 'utf8' }).stdout?.trim() === '0';

test("every directive agrees with Debian's date", { skip: dateWorks ? false : 'GNU date is not here' }, () => {
  const format = [...'aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyYz%'].map(letter => `%${letter}`).join('|');
  const moments = [
    new Date(2026, 10, 21, 23, 59, 59),
    new Date(2027, 0, 1, 0, 0, 0),
    new Date(2024, 11, 30, 12, 0, 0),
    new Date(2021, 0, 3, 13, 1, 1),
    new Date(2028, 1, 29, 1, 2, 3),
  ];
  for (const moment of moments) {
    const seconds = moment.getTime() / 1000;
    const run = spawnSync('date', ['-d', `@${seconds}`, `+${format}`], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });
    assert.equal(strftime(format)(moment), run.stdout.trimEnd());
  }
});
