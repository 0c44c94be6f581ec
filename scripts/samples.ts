/** Events of the kind that Flanders has, invented, for the demonstration. */

/** A sample: which of the two demo agencies signs it, a short name for its file, and the CloudEvent. */
export type Sample = { readonly by: 'grants' | 'works'; readonly name: string; readonly event: object };

/** @param run makes the identifiers differ from run to run */
export function sampleEvents(time: string, run: string): readonly Sample[] {
  const event = (fields: object) => ({
    specversion: '1.0',
    time,
    datacontenttype: 'application/json',
    ...fields,
  });
  return [
    {
      by: 'grants',
      name: 'grant-decision',
      event: event({
        id: `${run}-SUB-2026-00417`,
        source: 'https://grants.example.vlaanderen/decisions',
        type: 'vlaanderen.example.grant.decided',
        recordkind: 'transaction',
        subject: 'grants/2026/00417',
        data: {
          decision: 'toegekend',
          scheme: 'energielening',
          amount: { value: '12500.00', currency: 'EUR' },
        },
      }),
    },
    {
      by: 'grants',
      name: 'premium-payment',
      event: event({
        id: `${run}-PAY-2026-09120`,
        source: 'https://grants.example.vlaanderen/payments',
        type: 'vlaanderen.example.premium.paid',
        recordkind: 'transaction',
        subject: 'premiums/2026/09120',
        data: { premium: 'Mijn VerbouwPremie', amount: { value: '3480.75', currency: 'EUR' }, instalment: 1 },
      }),
    },
    {
      by: 'works',
      name: 'permit',
      event: event({
        id: `${run}-OMV-2026-118822`,
        source: 'https://permits.example.vlaanderen/decisions',
        type: 'vlaanderen.example.permit.granted',
        recordkind: 'transaction',
        subject: 'permits/OMV_2026118822',
        data: {
          permit: 'omgevingsvergunning',
          decision: 'verleend',
          conditions: 3,
          appealUntil: '2027-01-08',
        },
      }),
    },
    {
      by: 'works',
      name: 'register-lookup',
      event: event({
        id: `${run}-LKP-77120031`,
        source: 'https://permits.example.vlaanderen/lookups',
        type: 'vlaanderen.example.register.consulted',
        recordkind: 'audit',
        data: {
          register: 'adressenregister',
          purpose: 'vergunningsdossier',
          officer: 'pseudonym-4f1c',
          fields: ['adres'],
        },
      }),
    },
    {
      by: 'grants',
      name: 'copilot-interaction',
      event: event({
        id: `${run}-3f0d8b52-6c1e-4c1a-9f55-0d7a54b0a1de`,
        source: 'https://tenant.example.onmicrosoft.com/audit',
        type: 'com.microsoft.purview.copilotinteraction',
        recordkind: 'audit',
        data: {
          Operation: 'CopilotInteraction',
          Workload: 'Copilot',
          RecordType: 261,
          AppHost: 'Word',
          AccessedResources: [{ Action: 'Read', SensitivityLabelId: 'internal', Type: 'docx' }],
        },
      }),
    },
  ];
}
