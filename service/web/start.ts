/** Brings the page to life: reads its settings and its address, listens to what the visitor does, and draws what there is after each. */

import { render } from 'preact';
import { Checks } from './checks.ts';
import { textOfTrust } from './files.ts';
import { textsIn } from './languages.ts';
import { page } from './page.ts';
import { serviceOf } from './sent.ts';
import { chooseLanguage, type Language, readSettings } from './settings.ts';
import type { Actions, View } from './view.ts';
import { Desk } from './worker.ts';

/** How often a service is asked whether an anchor has come, at most and at least. */
const pauseMs = { least: 1_000, most: 15_000 };

/** @param script this very script, for the worker */
export function startPage(script: string): void {
  const settings = readSettings(document);
  const service = serviceOf(settings.service, location);
  const place = placeIn(document);

  const interval = settings.anchorIntervalMs ?? pauseMs.most;
  const state = {
    language: languageNow(settings.languages, settings.language),
    opened: null as number | null,
    isDragging: false,
    typedFingerprint: '',
  };
  const checks = new Checks(
    {
      desk: new Desk(script),
      service,
      pauseMs: Math.min(pauseMs.most, Math.max(pauseMs.least, interval / 2)),
    },
    () => {
      // A thousand receipts change as often. Drawing a table of them must not keep the page from judging them.
      drawing ??= setTimeout(draw, Math.max(20, 4 * drawnInMs));
    },
  );
  let drawing: ReturnType<typeof setTimeout> | undefined;
  let drawnInMs = 0;

  function draw(): void {
    clearTimeout(drawing);
    drawing = undefined;
    const start = performance.now();
    const texts = textsIn(state.language);
    document.documentElement.lang = state.language;
    document.title = texts.title;
    const fromDisk = location.protocol === 'file:';
    const view: View = {
      ...state,
      texts,
      settings,
      checks,
      now: Date.now(),
      address: service === null ? null : `${service}/verify`,
      canBeSaved: !fromDisk,
      act,
    };
    // The same place every time: what stays the same on the page is left alone, the focus too.
    try {
      render(page(view), place);
    } catch (error) {
      reportError(error);
      // What cannot be shown must not leave a verdict there that was on something else.
      render(null, place);
      if (!checks.giveUp()) throw error;
    }
    drawnInMs = performance.now() - start;
  }

  function change(changes: Partial<typeof state>): void {
    Object.assign(state, changes);
    draw();
  }

  /** Shows what comes of something given, and brings the reader to it. */
  async function show(work: Promise<unknown>): Promise<void> {
    state.opened = null;
    await work;
    draw();
    document.getElementById('verdict')?.focus();
  }

  const act: Actions = {
    takeFiles: files => void show(checks.takeFiles(files)),
    takeText: text => void show(checks.takeText(text)),
    compare: (id, file) => void checks.compare(id, file),
    useTrust: async file => checks.useTrust(await textOfTrust(file), true),
    backToTrust: () => void (settings.trust !== null && checks.useTrust(settings.trust, false)),
    typeFingerprint: text => change({ typedFingerprint: text }),
    open(id) {
      change({ opened: id });
      scrollTo(0, 0);
      document.getElementById('verdict')?.focus();
    },
    speak: language => change({ language }),
    save: (name, type, content) => save(name, type, content),
    print: () => print(),
    skip(event) {
      // Not by the address, whose fragment may hold a receipt.
      event.preventDefault();
      document.getElementById('main')?.focus();
    },
  };

  listen({ checks, show, drag: isDragging => change({ isDragging }) });
  draw();
  void begin();

  async function begin(): Promise<void> {
    if (settings.trust !== null) await checks.useTrust(settings.trust, false);
    const work = checks.takeFragment(location.hash);
    if (await work) await show(work);
  }
}

type Listening = {
  readonly checks: Checks;
  readonly show: (work: Promise<unknown>) => Promise<void>;
  readonly drag: (isDragging: boolean) => void;
};

function placeIn(page: Document): HTMLElement {
  const place = page.getElementById('page');
  if (place === null) throw new Error('the page has no place for its content');
  return place;
}

/** What happens to the window as a whole. */
function listen({ checks, show, drag }: Listening): void {
  addEventListener('hashchange', () => void show(checks.takeFragment(location.hash)));
  addEventListener('dragover', event => {
    event.preventDefault();
    drag(true);
  });
  addEventListener('dragleave', event => {
    // Null when the pointer leaves the window, and not merely one element for another.
    if (event.relatedTarget === null) drag(false);
  });
  addEventListener('drop', event => {
    event.preventDefault();
    drag(false);
    const { dataTransfer } = event;
    if (dataTransfer === null) return;
    if (dataTransfer.files.length > 0) void show(checks.takeFiles([...dataTransfer.files]));
    else if (dataTransfer.getData('text') !== '') void show(checks.takeText(dataTransfer.getData('text')));
  });
  addEventListener('paste', event => {
    const { target, clipboardData } = event;
    if (clipboardData === null) return;
    const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    if (clipboardData.files.length > 0) void show(checks.takeFiles([...clipboardData.files]));
    else if (!isField) void show(checks.takeText(clipboardData.getData('text')));
  });
  // On paper nothing can be unfolded.
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('details:not([open])')) {
      details.toggleAttribute('data-folded', true);
      details.toggleAttribute('open', true);
    }
  });
  addEventListener('afterprint', () => {
    for (const details of document.querySelectorAll('details[data-folded]')) {
      details.toggleAttribute('data-folded', false);
      details.toggleAttribute('open', false);
    }
  });
}

/** The language that the address asks for, or the one that was found for the request, or the browser's. */
function languageNow(on: readonly Language[], found: Language | null): Language {
  const asked = new URLSearchParams(location.search).get('lang');
  if (asked !== null && on.some(language => language === asked)) return chooseLanguage([asked], on);
  return found ?? chooseLanguage(navigator.languages, on);
}

function save(name: string, type: string, content: Uint8Array | string): void {
  // A copy, because a Blob takes no views of shared memory.
  const part = typeof content === 'string' ? content : new Uint8Array(content);
  const url = URL.createObjectURL(new Blob([part], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
