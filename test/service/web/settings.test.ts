import { describe, expect, it } from 'vitest';
import { chooseLanguage, formatSettings, type Settings } from '../../../service/web/settings.ts';

describe('chooseLanguage', () => {
  it.each([
    [['fr-BE', 'nl'], 'fr'],
    [['es', 'DE-at'], 'de'],
    [['es'], 'nl'],
    [[], 'nl'],
    [['*'], 'nl'],
  ] as const)('takes of %j the first that is on', (wanted, language) => {
    expect(chooseLanguage(wanted, ['nl', 'en', 'fr', 'de'])).toBe(language);
  });

  it('takes none that is off', () => {
    expect(chooseLanguage(['fr', 'en'], ['nl', 'en'])).toBe('en');
  });
});

describe('formatSettings', () => {
  it('gives JSON that cannot end the element in which it stands', () => {
    const settings: Settings = {
      trust: '{"a":"</script><script>alert(1)</script><!--"}',
      service: null,
      languages: ['nl'],
      language: null,
      anchorIntervalMs: null,
    };
    const text = formatSettings(settings);
    expect(text).not.toContain('<');
    expect(JSON.parse(text)).toEqual(settings);
  });
});
