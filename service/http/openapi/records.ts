/** The operations on records: submitting them, and having one's own again. */

import { z } from 'zod';
import type { ProblemName } from '../guidance.ts';
import { exportQuery, leafHashParameter } from '../parameters.ts';
import {
  acknowledgement,
  batchLine,
  exportedRecord,
  lastLine,
  newLine,
  ownRecord,
  refusedLine,
  retryLine,
  singleLine,
} from './answers.ts';
import { compactJws, receipt } from './formats.ts';
import type { Operation } from './operation.ts';

/** Why a statement is refused. */
const submissionProblems: readonly ProblemName[] = [
  'record-malformed',
  'audience-other',
  'key-unknown',
  'key-not-valid',
  'key-algorithm',
  'signature-invalid',
  'event-conflict',
  'record-erased',
  'body-too-large',
  'key-limit',
  'chain-silent',
  'clock-off',
  'log-busy',
  'log-closed',
  'log-forked',
  'log-stopping',
];

/** Why a token is refused, or nothing can be read. */
const tokenProblems: readonly ProblemName[] = [
  'token-malformed',
  'token-audience',
  'token-key-unknown',
  'token-key-algorithm',
  'token-key-not-valid',
  'token-signature',
  'token-expired',
  'token-ahead',
  'token-before-start',
  'token-used',
  'tokens-exhausted',
  'reading-off',
  'service-key-unusable',
  'read-not-recorded',
  'chain-silent',
  'clock-off',
];

const lines = z.string().describe('Lines of JSON, each ended by a line feed.');

export const recordOperations: readonly Operation[] = [
  {
    id: 'submitRecord',
    method: 'post',
    path: '/v1/records',
    tag: 'Records',
    head: false,
    summary: 'Submit a record',
    description:
      'The body is a statement: a compact JWS by a registered key over one event. A 201 says that the record is durable, in the tree and provable. The same event bytes again, however they are signed, are a retry: 200 with the record as it stands. `Prefer: wait=N` keeps the answer until the record is anchored and final, for at most N seconds.',
    fields: ['Prefer'],
    body: {
      mediaType: 'application/jose',
      description: 'A statement, `typ` `zegel+jws`. Without `Content-Encoding`.',
      schema: compactJws,
    },
    answers: {
      200: {
        description: 'The record was there already.',
        mediaType: 'application/json',
        schema: acknowledgement,
        fields: ['Location', 'Preference-Applied'],
      },
      201: {
        description: 'The record is in the log.',
        mediaType: 'application/json',
        schema: acknowledgement,
        fields: ['Location', 'Preference-Applied'],
      },
    },
    problems: [...submissionProblems, 'media-type-unsupported'],
  },
  {
    id: 'submitRecords',
    method: 'post',
    path: '/v1/records/batch',
    tag: 'Records',
    head: false,
    summary: 'Submit many records',
    description:
      'The body is lines: one record each, or a batch statement and after it the lines of its events. Every record is answered on a line of its own, in order; the last line is a checkpoint that covers them all. Read while you send: answers that are not read stop the reading. Lines end in a line feed, without a carriage return. If the last line is missing, nothing is known of what was not answered: send it again.',
    body: {
      mediaType: 'application/x-ndjson',
      description: 'Any number of lines, singles and batches mixed.',
      schema: lines,
      lines: z.union([batchLine, singleLine]).describe('A line that is no event of a batch.'),
    },
    answers: {
      200: {
        description: 'The answers. Records that are refused are lines, too.',
        mediaType: 'application/x-ndjson',
        schema: lines,
        lines: z.union([newLine, retryLine, refusedLine, lastLine]),
      },
    },
    problems: ['media-type-unsupported', 'chain-silent', 'clock-off', 'log-busy'],
    lineProblems: [...submissionProblems, 'address-limit', 'request-timeout', 'internal-error'],
  },
  {
    id: 'exportRecords',
    method: 'get',
    path: '/v1/records/export',
    tag: 'Records',
    head: false,
    token: 'needed',
    summary: "Export an agency's records",
    description:
      'All records of a range that the agency of the token has submitted, in the order of the log. It is one read, and recorded as one. An export that breaks off is not whole: a line that is not ended was not given.',
    query: { parameters: exportQuery, required: false },
    answers: {
      200: {
        description: 'A line for each record.',
        mediaType: 'application/x-ndjson',
        schema: lines,
        lines: exportedRecord,
      },
    },
    problems: [...tokenProblems, 'token-missing', 'exports-exhausted', 'log-stopping'],
  },
  {
    id: 'readRecord',
    method: 'get',
    path: '/v1/records/{leafHash}',
    route: '/v1/records/:leafHash',
    tag: 'Records',
    head: false,
    token: 'needed',
    summary: 'Have a record again',
    description: 'For the agency that submitted it. The read is recorded in the log before it is answered.',
    inPath: { leafHash: leafHashParameter },
    answers: { 200: { description: 'The record.', mediaType: 'application/json', schema: ownRecord } },
    problems: [...tokenProblems, 'token-missing', 'record-not-found', 'record-erased'],
  },
  {
    id: 'getReceipt',
    method: 'get',
    path: '/v1/records/{leafHash}/receipt',
    tag: 'Proofs',
    head: true,
    token: 'taken',
    summary: 'Get a receipt',
    description:
      'Without a token the receipt proves the entry and carries no record: whoever submitted it completes it with the record that they hold. With a token of that agency it is complete. Until `evidence` is there, ask again after the next anchor.',
    inPath: { leafHash: leafHashParameter },
    answers: {
      200: {
        description:
          'The receipt. Only one without a record, asked for without a token, may be kept by caches.',
        mediaType: 'application/vnd.zegel.receipt+json',
        schema: receipt,
        fields: ['Vary'],
        caching: 'either',
      },
    },
    problems: [...tokenProblems, 'record-not-found', 'record-erased'],
  },
];
