/** The ways in: choose files, drop them, or paste a code, a link or a receipt. */

import { type ComponentChild, h } from 'preact';
import type { View } from './view.ts';

/** The whole of it, on a page that has nothing to show yet. */
export function waysIn(view: View): ComponentChild {
  const { ways } = view.texts;
  return h(
    'section',
    { class: 'ways', 'aria-labelledby': 'ways' },
    h('h2', { id: 'ways', class: 'unseen' }, ways.heading),
    h(
      'div',
      { class: `drop ${view.isDragging ? 'dragging' : ''}` },
      chooser(ways.choose, true, files => view.act.takeFiles(files)),
      h('p', { class: 'quiet' }, view.isDragging ? ways.release : ways.drop),
    ),
    field(view),
    h('p', { class: 'private quiet' }, ways.private),
  );
}

/** The same in short, under a result. @param isWanted whether a receipt is still wanted, rather than another one */
export function waysOn(view: View, isWanted = false): ComponentChild {
  const { ways } = view.texts;
  return h(
    'section',
    { class: 'again', 'aria-labelledby': 'again' },
    h('h2', { id: 'again' }, isWanted ? ways.heading : ways.again),
    h(
      'div',
      { class: 'row' },
      chooser(ways.choose, true, files => view.act.takeFiles(files)),
      h('p', { class: 'quiet' }, ways.drop),
    ),
    field(view),
  );
}

function field(view: View): ComponentChild {
  const { ways } = view.texts;
  const submit = (event: Event) => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get('given');
    if (typeof text === 'string' && text.trim() !== '') view.act.takeText(text);
  };
  return h(
    'form',
    { class: 'field', onSubmit: submit },
    h('label', { for: 'given' }, ways.field),
    h(
      'div',
      { class: 'row' },
      h('textarea', {
        id: 'given',
        name: 'given',
        rows: 2,
        spellcheck: false,
        autocomplete: 'off',
        autocapitalize: 'none',
        'aria-describedby': 'given-hint',
        onKeyDown: (event: KeyboardEvent) => {
          // Enter checks, as in a field of one line; a receipt is pasted, not typed.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          (event.currentTarget as HTMLTextAreaElement).form?.requestSubmit();
        },
      }),
      h('button', { type: 'submit', class: 'button' }, ways.check),
    ),
    h('p', { id: 'given-hint', class: 'quiet' }, ways.fieldHint),
  );
}

/** A button that opens the browser's own dialogue for files. */
export function chooser(
  label: string,
  isFirst: boolean,
  take: (files: readonly File[]) => void,
  multiple = isFirst,
): ComponentChild {
  return h(
    'label',
    { class: `button ${isFirst ? 'first' : ''}` },
    h('input', {
      type: 'file',
      class: 'unseen',
      multiple,
      onChange: (event: Event) => {
        const input = event.currentTarget as HTMLInputElement;
        const files = [...(input.files ?? [])];
        // So that the same file, mended, can be chosen again.
        input.value = '';
        if (files.length > 0) take(files);
      },
    }),
    label,
  );
}
