/**
 * What each problem means and what to do about it: told once, here. The pages under `/docs` show it, `/v1/openapi.json` carries it, and a
 * test holds the table in ONBOARDING.md to it, word by word.
 */

import type { LedgerErrorCode } from '../errors.ts';

/** A problem's name: what stands behind `urn:problem-type:zegel:`. */
export type ProblemName =
  | Kebab<LedgerErrorCode>
  | 'internal-error'
  | 'request-unreadable'
  | 'header-too-large';

/** In plain text, but for names in back-ticks. */
export type Guidance = {
  readonly means: string;
  readonly toDo: string;
  /** Whether sending the same again helps. */
  readonly again: string;
};

type Kebab<Code extends string> = Code extends `${infer Word}_${infer Rest}`
  ? `${Lowercase<Word>}-${Kebab<Rest>}`
  : Lowercase<Code>;

const withNewToken = 'when with a new token';

/** The compiler keeps it complete. In the order of their statuses. */
export const guidance = {
  'record-malformed': {
    means: 'The statement or its event is not in its format: `issues` say where.',
    toDo: 'Mend the event, sign it again.',
    again: 'no',
  },
  'request-malformed': {
    means: "The request's path, query, header or body is not in its format: `issues` say where.",
    toDo: 'Mend each of them; nothing else was looked at.',
    again: 'no',
  },
  'request-unreadable': {
    means: 'What came is not HTTP, or a proxy on the way has broken it.',
    toDo: 'Look at what is sent, byte by byte, from where the service stands.',
    again: 'no',
  },
  'token-missing': {
    means: 'What you ask for is only for the agency that submitted it.',
    toDo: 'Send `Authorization: Bearer` and a token.',
    again: 'when with one',
  },
  'token-malformed': {
    means: 'The token, or the header that carries it, is not in its format: `issues` say where.',
    toDo: 'Make it as the token of the reference is made: exactly those members.',
    again: 'no',
  },
  'token-audience': {
    means: "The token's `aud` is another log's origin.",
    toDo: 'Take the origin that `GET /v1/log` gives.',
    again: 'no',
  },
  'token-key-unknown': {
    means: "No key with the token's `kid` is registered.",
    toDo: 'Right after the registration: wait some seconds. Else see `key-unknown`.',
    again: 'once it is registered',
  },
  'token-key-algorithm': {
    means: "The token's `alg` is not what its key is registered for.",
    toDo: 'Sign with the algorithm that the registrar has written down.',
    again: 'no',
  },
  'token-key-not-valid': {
    means: "The token's key is not valid yet or no longer.",
    toDo: 'Make the token with another key of yours.',
    again: 'no',
  },
  'token-signature': {
    means: "The token's signature does not fit its bytes and the key.",
    toDo: 'See `signature-invalid`.',
    again: 'no',
  },
  'token-expired': {
    means: 'The token has ended, or your clock is slow.',
    toDo: 'Make a new one for each request, just before it.',
    again: withNewToken,
  },
  'token-ahead': {
    means: 'The token is dated in the future: your clock is more than 5 seconds fast.',
    toDo: 'Set it right, or have it set by a time server.',
    again: 'no',
  },
  'token-before-start': {
    means: 'The token is older than this run of the service, which has been started since.',
    toDo: 'Make a new one.',
    again: withNewToken,
  },
  'token-used': {
    means: 'A token is good for one request, and somebody has used this one.',
    toDo: 'If it was not you, tell the operator.',
    again: withNewToken,
  },
  'audience-other': {
    means: "`aud` is another log's origin: perhaps a statement for the test log came to the real one.",
    toDo: 'Take the one that `GET /v1/log` gives and sign again.',
    again: 'no',
  },
  'key-unknown': {
    means: 'No key with this `kid` is registered.',
    toDo: 'Right after the registration: wait some seconds. Else compare `kid` with what the registrar has; it is the SHA-256 of `key.jwk`, to the byte.',
    again: 'once it is registered',
  },
  'key-not-valid': {
    means: 'The key is registered, but not valid yet or no longer.',
    toDo: 'Use your newer key, or ask the registrar.',
    again: 'no',
  },
  'key-algorithm': {
    means: '`alg` in the header is not what the key is registered for.',
    toDo: 'Sign with the algorithm that the registrar has written down.',
    again: 'no',
  },
  'signature-invalid': {
    means: 'The signature does not fit the bytes and the key.',
    toDo: 'ECDSA: is it r‖s, not DER? PS256: is the salt 32 bytes? Are header and payload those that were signed?',
    again: 'no',
  },
  'record-not-found': {
    means: 'No entry of this log has this leaf hash, or the record behind it is not yours.',
    toDo: 'Compare it with the one that you were given: 64 digits of lower-case hexadecimal.',
    again: 'no',
  },
  'resource-not-found': {
    means: 'There is nothing at this path.',
    toDo: 'One spelling each: no slash at the end. A tile or an anchor may be there later.',
    again: 'no',
  },
  'method-not-allowed': {
    means: 'The path is right, the method is not.',
    toDo: 'The header `Allow` names those that there are.',
    again: 'no',
  },
  'request-timeout': {
    means:
      'The request came too slowly: 30 seconds for a body; in a batch 30 seconds of waiting in all, renewed by each new record and lengthened by each 64 KiB.',
    toDo: 'Perhaps it was taken: send it again.',
    again: 'yes',
  },
  'event-conflict': {
    means: 'Another event is recorded under this `source` and `id`.',
    toDo: 'Was it written anew? Send the bytes that you signed first. Is it another event? Give it another `id`.',
    again: 'no',
  },
  'record-erased': {
    means: 'The record was here and has been erased.',
    toDo: 'It cannot be recorded again; its entry and every proof stay.',
    again: 'no',
  },
  'body-too-large': {
    means: 'The event, a line or a batch is larger than allowed; `detail` says by how much.',
    toDo: "Split the batch, or put a document's hash into the event in place of the document.",
    again: 'no',
  },
  'media-type-unsupported': {
    means: 'The body is of another media type, or encoded: gzip is refused.',
    toDo: 'Send `application/jose` for one statement, `application/x-ndjson` for a batch, in UTF-8 and without `Content-Encoding`.',
    again: 'no',
  },
  'key-limit': {
    means: 'Your key has brought more new records than the operator allows it.',
    toDo: '`detail` and `Retry-After` say for how long to wait.',
    again: 'yes',
  },
  'address-limit': {
    means:
      'Your address has asked for too much, has sent too much that was refused, or has too many uploads or streams under way.',
    toDo: '`detail` and `Retry-After` say for how long to wait. What is refused costs as much as 50 records, so mend it first.',
    again: 'yes',
  },
  'tokens-exhausted': {
    means: 'More tokens of your key than the service can remember are under way.',
    toDo: 'An export reads many records with one.',
    again: withNewToken,
  },
  'exports-exhausted': {
    means: 'Too many exports are under way, of your agency or of all.',
    toDo: 'Wait for one to end.',
    again: withNewToken,
  },
  'header-too-large': {
    means: 'The header of the request has more than 16 KiB.',
    toDo: 'Leave out what nobody needs, cookies above all.',
    again: 'no',
  },
  'internal-error': {
    means: 'A fault of the service. Whether the record was taken is unknown.',
    toDo: "Send it again. Give the operator the answer's `x-request-id`.",
    again: 'yes',
  },
  'chain-silent': {
    means:
      'The service has not heard from the chain for a minute and takes nothing, since it might miss that a key has ended.',
    toDo: 'Wait. It goes on by itself once the chain answers.',
    again: 'yes',
  },
  'clock-off': {
    means: 'The clock of the service is not right.',
    toDo: 'Tell the operator if it lasts.',
    again: 'yes',
  },
  'log-busy': {
    means: 'Too much at once.',
    toDo: 'Wait as long as `Retry-After` says, and then longer each time.',
    again: 'yes',
  },
  'log-closed': {
    means: 'This log takes no more records, for ever.',
    toDo: 'Ask the operator for its successor, and sign for that one.',
    again: 'no',
  },
  'log-forked': {
    means: 'The registry and the service disagree about this log.',
    toDo: 'The operator must act; keep what you have.',
    again: 'when it is mended',
  },
  'log-stopping': {
    means: 'The service is being stopped. Perhaps the record was taken.',
    toDo: 'Send it again, it will be known then.',
    again: 'yes',
  },
  'reading-off': {
    means: 'This service gives no records back: its operator has set no key under which reads are recorded.',
    toDo: 'Ask the operator for it, or keep what you submit.',
    again: 'no',
  },
  'service-key-unusable': {
    means: "The operator's key under which reads are recorded is not registered, or not valid.",
    toDo: 'Tell the operator.',
    again: withNewToken,
  },
  'read-not-recorded': {
    means: 'The read could not be recorded, so nothing was given; `detail` says why.',
    toDo: 'Wait as long as `Retry-After` says.',
    again: withNewToken,
  },
} as const satisfies Record<ProblemName, Guidance>;
