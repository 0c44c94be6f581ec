/** What every part of the page is given to show itself: the language, the checks, and what a click does. */

import type { Checks } from './checks.ts';
import type { Language, Settings } from './settings.ts';
import type { Texts } from './texts.ts';

export type View = {
  readonly texts: Texts;
  readonly language: Language;
  readonly settings: Settings;
  readonly checks: Checks;
  /** The check whose details are shown, among several. */
  readonly opened: number | null;
  /** Whether something is being dragged over the page. */
  readonly isDragging: boolean;
  /** What the visitor has typed as the fingerprint to compare with. */
  readonly typedFingerprint: string;
  readonly now: number;
  /** The address under which this page can be had again; null for a file on a disk. */
  readonly address: string | null;
  /** Whether the page can be had as a file: it is not one already. */
  readonly canBeSaved: boolean;
  readonly act: Actions;
};

export type Actions = {
  takeFiles(files: readonly File[]): void;
  takeText(text: string): void;
  compare(id: number, file: File): void;
  useTrust(file: File): void;
  backToTrust(): void;
  typeFingerprint(text: string): void;
  open(id: number | null): void;
  speak(language: Language): void;
  save(name: string, mediaType: string, content: Uint8Array | string): void;
  print(): void;
  skip(event: Event): void;
};

/**
 * Whether a text is a moment as RFC 3339 writes it: a stranger's text need not be one, and browsers take more for a date than that,
 * each its own. The core spells moments otherwise that no calendar has.
 */
export function isMoment(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text) && !Number.isNaN(Date.parse(text))
  );
}

/** A moment as people write it, in the zone of whoever reads it, which is named. */
export function moment(time: string | number, language: Language): string {
  return new Intl.DateTimeFormat(language, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(new Date(time));
}

/** A day and a minute, for sentences. */
export function shortMoment(time: string | number, language: Language): string {
  if (typeof time === 'string' && !isMoment(time)) return time;
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short' }).format(new Date(time));
}

export function grouped(number: number, language: Language): string {
  return new Intl.NumberFormat(language).format(number);
}
