import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { AnchorFaultCode } from '../../service/anchor-faults.ts';
import { LedgerError, type LedgerErrorCode } from '../../service/errors.ts';
import { StoreBrokenError, StoreCorruptError } from '../../service/store.ts';
import { Vitals } from '../../service/vitals.ts';

const silent = pino({ level: 'silent' });

function aVitals() {
  const fatal: unknown[] = [];
  return { fatal, vitals: new Vitals(silent, error => fatal.push(error)) };
}

/** What the chain's side says: nothing is wrong unless the test says so. */
function watched({
  refusal,
  fault,
  frozen,
  waitingSince = null,
}: {
  refusal?: LedgerError;
  fault?: AnchorFaultCode;
  frozen?: LedgerErrorCode;
  waitingSince?: number | null;
} = {}) {
  return {
    keys: {
      ready: () => {
        if (refusal) throw refusal;
      },
    },
    anchorer: {
      status: () => ({
        fault: fault ? { code: fault, message: 'x', since: 0 } : null,
        waitingSince,
      }),
    },
    ledger: { refusal: frozen },
    now: () => 1_000_000,
  };
}

describe('Vitals', () => {
  test('ends the service once, at the first fault of the store', () => {
    const { vitals, fatal } = aVitals();
    const broken = new StoreBrokenError('x');
    vitals.report(broken, {});
    vitals.report(new StoreBrokenError('y'), {});
    vitals.fail(new Error('z'));
    expect(fatal).toEqual([broken]);
  });

  test('goes on when a value on disk was changed, and says so until the next start', () => {
    const { vitals, fatal } = aVitals();
    vitals.report(new StoreCorruptError('x'), {});
    expect(fatal).toEqual([]);
    expect(vitals.health(watched())).toEqual({ status: 'DEGRADED', reasons: ['STORE_FAULT'] });
    expect(vitals.isAccepting(watched())).toBe(true);
  });

  test('goes on after a fault that is one request’s', () => {
    const { vitals, fatal } = aVitals();
    vitals.report(new TypeError('x'), {});
    expect(fatal).toEqual([]);
    expect(vitals.health(watched()).status).toBe('UP');
  });

  test('logs the fault with the request that met it', () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({}, { write: line => lines.push(JSON.parse(line)) });
    new Vitals(log, () => undefined).report(new Error('x'), { 'x-request-id': 'r-1' });
    expect(lines).toEqual([
      expect.objectContaining({ level: 50, msg: 'met a fault', 'x-request-id': 'r-1' }),
    ]);
  });

  test('minds no fault while the service is stopping', () => {
    const { vitals, fatal } = aVitals();
    vitals.stop();
    vitals.fail(new Error('x'));
    expect(fatal).toEqual([]);
  });

  test.each([
    ['nothing is wrong', {}, 'UP', []],
    ['the chain is silent', { refusal: new LedgerError('CHAIN_SILENT', 'x') }, 'DEGRADED', ['CHAIN_SILENT']],
    ['anchoring fails', { fault: 'LOG_PAUSED' }, 'DEGRADED', ['LOG_PAUSED']],
    ['the log is forked', { frozen: 'LOG_FORKED', fault: 'LOG_FORKED' }, 'DEGRADED', ['LOG_FORKED']],
    ['a record waits', { waitingSince: 999_999 }, 'UP', []],
    ['a record has waited for long', { waitingSince: 1 }, 'DEGRADED', ['ANCHOR_LATE']],
    [
      'all of it',
      { refusal: new LedgerError('CLOCK_OFF', 'x'), fault: 'CLOCK_AHEAD', waitingSince: 1 },
      'DEGRADED',
      ['CLOCK_OFF', 'CLOCK_AHEAD', 'ANCHOR_LATE'],
    ],
  ] as const)('says how it is when %s', (_, state, status, reasons) => {
    expect(aVitals().vitals.health(watched(state))).toEqual({ status, reasons });
  });

  test('says DOWN when it is stopping, and when it must end', () => {
    const stopping = aVitals().vitals;
    stopping.stop();
    expect(stopping.health(watched())).toEqual({ status: 'DOWN', reasons: ['LOG_STOPPING'] });
    const broken = aVitals().vitals;
    broken.fail(new Error('x'));
    expect(broken.health(watched())).toEqual({ status: 'DOWN', reasons: ['STORE_FAULT'] });
    expect(broken.isAccepting(watched())).toBe(false);
  });

  test.each([
    [{}, true],
    [{ refusal: new LedgerError('CHAIN_SILENT', 'x') }, false],
    [{ frozen: 'LOG_FORKED', fault: 'LOG_FORKED' }, false],
    // What stopped the log is not over when something else goes wrong.
    [{ frozen: 'LOG_CLOSED', fault: 'CHAIN_UNREACHABLE' }, false],
    // A block that is not final yet stops nothing.
    [{ fault: 'LOG_FORKED' }, true],
    [{ fault: 'LOG_PAUSED' }, true],
    [{ fault: 'CHAIN_UNREACHABLE' }, true],
  ] as const)('knows for %j whether submissions are taken: %s', (state, accepting) => {
    expect(aVitals().vitals.isAccepting(watched(state))).toBe(accepting);
  });
});
