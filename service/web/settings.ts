/** What whoever hands the page out puts into it: the trust file, the languages that are on, and whom to ask. */

/** The languages that the page has, the authoritative one first. */
export const languages = ['nl', 'en', 'fr', 'de'] as const;

export type Language = (typeof languages)[number];

export type Settings = {
  /** The trust file's text, so that its UTF-8 is the file byte for byte; null where the visitor must bring one. */
  readonly trust: string | null;
  /** The URL of the service that is asked for receipts; null for the one that the page comes from. */
  readonly service: string | null;
  /** The languages that the operator has switched on, Dutch among them. */
  readonly languages: readonly Language[];
  /** The one to begin with, by the request's Accept-Language; null to go by the browser's own list. */
  readonly language: Language | null;
  /** The least time between two anchors, milliseconds; null where that is not known. */
  readonly anchorIntervalMs: number | null;
};

/** The element that holds them. */
export const settingsId = 'settings';

/** Settings as JSON that may stand inside an element: nothing in it can end that element. */
export function formatSettings(settings: Settings): string {
  return JSON.stringify(settings).replaceAll('<', '\\u003c');
}

/** Reads what `formatSettings` has written into the page. */
export function readSettings(page: Document): Settings {
  // Our own program wrote it, and the page's policy lets nobody else write here.
  return JSON.parse(page.getElementById(settingsId)?.textContent ?? '') as Settings;
}

/** The first of the wanted languages that is on, by its primary tag (`fr-BE` asks for `fr`); Dutch where none is. */
export function chooseLanguage(wanted: readonly string[], on: readonly Language[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0];
    const found = on.find(language => language === primary);
    if (found !== undefined) return found;
  }
  return 'nl';
}
