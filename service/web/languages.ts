/** The page's texts by their language. */

import { dutch } from './dutch.ts';
import { english } from './english.ts';
import { french } from './french.ts';
import { german } from './german.ts';
import type { Language } from './settings.ts';
import type { Texts } from './texts.ts';

const texts: Readonly<Record<Language, Texts>> = { nl: dutch, en: english, fr: french, de: german };

export function textsIn(language: Language): Texts {
  return texts[language];
}
