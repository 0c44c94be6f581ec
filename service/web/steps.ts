/** The ten steps of a verification (DESIGN 3.5) with their numbers, for those who want to see the work. */

import { type ComponentChild, h } from 'preact';
import { type Step, type StepName, stepNames } from '../../merkle/verification.ts';
import type { Check } from './check.ts';
import { visibleLine } from './event.ts';
import type { View } from './view.ts';

export function stepsOn({ texts }: View, { outcome }: Check): ComponentChild | null {
  if (outcome.kind !== 'judged') return null;
  const { steps } = texts;
  const taken = outcome.judgement.verification.steps;
  const hasFailed = taken.some(({ ok }) => ok === false);
  return h(
    'details',
    { class: 'steps', open: hasFailed },
    h('summary', null, h('h2', null, steps.heading)),
    h('p', { class: 'quiet' }, steps.lead),
    h(
      'ol',
      null,
      stepNames.map(name =>
        line(
          texts,
          name,
          taken.find(step => step.name === name),
        ),
      ),
    ),
  );
}

const marks = { passed: '✓', failed: '✗', skipped: '–', notReached: '·' } as const;

function line({ steps }: View['texts'], name: StepName, step: Step | undefined): ComponentChild {
  const state =
    step === undefined ? 'notReached' : step.ok === null ? 'skipped' : step.ok ? 'passed' : 'failed';
  const { title, text } = steps.each[name];
  return h(
    'li',
    { class: state, 'data-step': name, 'data-state': state },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, marks[state]),
    h(
      'div',
      null,
      h(
        'p',
        { class: 'title' },
        h('span', { class: 'strong' }, title),
        ' ',
        h('code', { lang: 'en' }, name),
        ' ',
        h('span', { class: 'state' }, steps[state]),
      ),
      h('p', null, text),
      step === undefined
        ? null
        : h(
            'p',
            { class: 'detail quiet' },
            h('span', { class: 'unseen' }, `${steps.verifier} `),
            h('code', { lang: 'en' }, visibleLine(step.detail)),
          ),
    ),
  );
}
