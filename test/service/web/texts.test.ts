/** What the languages say has one shape, which the compiler holds; that none was left untranslated is held here. */

import { describe, expect, it } from 'vitest';
import { textsIn } from '../../../service/web/languages.ts';
import { languages } from '../../../service/web/settings.ts';

/** Every text by its place; functions by what they make of their parameters. */
function* textsOf(value: unknown, place: string): Generator<readonly [string, string]> {
  const said = { agency: 'A', date: 'D' };
  const counts = { matches: 1, 'does-not-match': 2, 'not-yet-anchored': 3, 'could-not-check': 4 };
  if (typeof value === 'string') yield [place, value];
  else if (typeof value === 'function')
    yield [
      place,
      value(
        place.endsWith('summary')
          ? counts
          : place.startsWith('matches') || place.startsWith('limits')
            ? said
            : 'X',
        'Y',
      ),
    ];
  else
    for (const [name, inner] of Object.entries(value ?? {}))
      yield* textsOf(inner, `${place}${place && '.'}${name}`);
}

/** Words that are the same in two languages. */
const alike =
  /^(Code|Register|Status|Form|Type|Source|Instance|Transaction|Zegels?|Anker|[A-Z]|Who|What|Wat)$/;

describe.each(languages)('the texts in %s', language => {
  const texts = new Map(textsOf(textsIn(language), ''));

  it('say something, in plain text', () => {
    for (const [place, text] of texts) {
      expect(text, place).toMatch(/\S/);
      expect(text, place).not.toMatch(/[<>]|&[a-z]+;|undefined|\[object/);
    }
  });

  it('put in all that they are given', () => {
    for (const [place, text] of texts)
      if (place === 'table.summary')
        for (const count of [1, 2, 3, 4]) expect(text, place).toContain(String(count));
      else if (place === 'matches.record') expect(text).toMatch(/A.*D/);
  });
});

it('tell one of several as one', () => {
  const counts = { matches: 1, 'does-not-match': 1, 'not-yet-anchored': 1, 'could-not-check': 1 };
  expect(languages.map(language => textsIn(language).table.summary(counts))).toEqual([
    '1 van de 4 klopt, 1 niet, 1 nog niet verankerd, 1 kon niet gecontroleerd worden.',
    '1 of 4 checks out, 1 does not, 1 is not yet anchored, 1 could not be checked.',
    'Exacts : 1 sur 4, inexacts : 1, pas encore ancrés : 1, non vérifiés : 1.',
    '1 von 4 stimmt, 1 nicht, 1 noch nicht verankert, 1 nicht geprüft.',
  ]);
});

describe.each(languages.filter(language => language !== 'nl'))('the translation into %s', language => {
  it('is no Dutch', () => {
    const dutch = new Map(textsOf(textsIn('nl'), ''));
    const same = [...textsOf(textsIn(language), '')].filter(
      ([place, text]) => dutch.get(place) === text && !alike.test(text),
    );
    expect(same).toEqual([]);
  });

  it('is marked as one', () => {
    expect(textsIn(language).translation).toMatch(/\S/);
    expect(textsIn('nl').translation).toBeNull();
  });
});
