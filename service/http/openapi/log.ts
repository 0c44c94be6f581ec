/** The operations on the log: proofs, anchors, its files, and what it says of itself. */

import { z } from 'zod';
import { anchorsQuery, consistencyQuery, inclusionQuery, sizeParameter } from '../parameters.ts';
import {
  aboutLog,
  anchor,
  anchorEvent,
  anchorPage,
  consistencyProof,
  health,
  healthEvent,
  inclusionProof,
  liveness,
  sizeEvent,
} from './answers.ts';
import { checkpoint } from './formats.ts';
import type { Operation } from './operation.ts';

export const logOperations: readonly Operation[] = [
  {
    id: 'proveInclusion',
    method: 'get',
    path: '/v1/proofs/inclusion',
    tag: 'Proofs',
    head: true,
    summary: 'Prove that an entry is in the log',
    query: { parameters: inclusionQuery, required: true },
    answers: {
      200: {
        description: 'The path from the entry to the root of the tree of this size.',
        mediaType: 'application/json',
        schema: inclusionProof,
        caching: 'immutable',
      },
    },
    problems: ['record-not-found'],
  },
  {
    id: 'proveConsistency',
    method: 'get',
    path: '/v1/proofs/consistency',
    tag: 'Proofs',
    head: true,
    summary: 'Prove that the log has only grown',
    query: { parameters: consistencyQuery, required: true },
    answers: {
      200: {
        description: 'The hashes that lead from the smaller root to the larger one.',
        mediaType: 'application/json',
        schema: consistencyProof,
        caching: 'immutable',
      },
    },
  },
  {
    id: 'listAnchors',
    method: 'get',
    path: '/v1/anchors',
    tag: 'Proofs',
    head: true,
    summary: 'List anchors',
    query: { parameters: anchorsQuery, required: false },
    answers: {
      200: {
        description: 'A page of at most 50 anchors, smallest first.',
        mediaType: 'application/json',
        schema: anchorPage,
        caching: 'no-cache',
      },
    },
  },
  {
    id: 'getAnchor',
    method: 'get',
    path: '/v1/anchors/{size}',
    tag: 'Proofs',
    head: true,
    summary: 'Get an anchor',
    inPath: { size: sizeParameter },
    answers: {
      200: {
        description: 'The anchor of exactly this size.',
        mediaType: 'application/json',
        schema: anchor,
        caching: 'either',
      },
    },
    problems: ['resource-not-found'],
  },
  {
    id: 'getLog',
    method: 'get',
    path: '/v1/log',
    tag: 'Proofs',
    head: true,
    summary: 'Ask what the log is and how far it has come',
    answers: {
      200: {
        description: 'The log.',
        mediaType: 'application/json',
        schema: aboutLog,
        caching: 'no-cache',
      },
    },
  },
  {
    id: 'watchLog',
    method: 'get',
    path: '/v1/log/stream',
    tag: 'Proofs',
    head: false,
    summary: 'Watch the log',
    description:
      'Server-sent events, at most some in a second however fast the log grows. First comes how things are: the newest ten anchors, sizes, health. With `Last-Event-ID` the anchors come that were missed, at most the newest hundred; `/v1/anchors` has them all. A comment comes when there is nothing to tell for 15 seconds. Who does not read is cut off, and may come again.',
    fields: ['Last-Event-ID'],
    answers: {
      200: {
        description: 'Events, until one of both ends it.',
        mediaType: 'text/event-stream',
        schema: z.string(),
        events: { size: sizeEvent, anchor: anchorEvent, health: healthEvent },
      },
    },
    problems: ['log-busy'],
  },
  {
    id: 'getCheckpoint',
    method: 'get',
    path: '/log/checkpoint',
    tag: 'Log',
    head: true,
    summary: 'Get the newest signed checkpoint',
    answers: {
      200: {
        description: 'A C2SP signed note.',
        mediaType: 'text/plain; charset=utf-8',
        schema: checkpoint,
        caching: 'no-cache',
      },
    },
  },
  {
    id: 'getTile',
    method: 'get',
    path: '/log/tile/{path}',
    route: '/log/tile/*rest',
    tag: 'Log',
    head: true,
    summary: 'Get a tile or an entry bundle',
    description:
      'Files as C2SP tlog-tiles names them: `<level>/<N>` and `entries/<N>`, with `.p/<width>` behind it while they are not full, N in groups of three digits of which all but the last begin with `x`. The path has slashes in it.',
    inPath: {
      path: z
        .string()
        .regex(/^(\d+|entries)\/(x\d{3}\/)*\d{3}(\.p\/\d{1,3})?$/)
        .describe('The name of the file.'),
    },
    answers: {
      200: {
        description:
          'Up to 256 hashes of 32 bytes, or up to 256 entries, each behind its length in two bytes.',
        mediaType: 'application/octet-stream',
        schema: z.string().describe('Bytes as they are.'),
        caching: 'immutable',
      },
    },
    problems: ['resource-not-found'],
  },
  {
    id: 'getHealth',
    method: 'get',
    path: '/health',
    tag: 'Service',
    head: true,
    isProbe: true,
    summary: 'Ask for the state of health',
    answers: {
      200: { description: 'It is `UP` or `DEGRADED`.', mediaType: 'application/json', schema: health },
      503: { description: 'It is `DOWN`.', mediaType: 'application/json', schema: health },
    },
  },
  {
    id: 'getLiveness',
    method: 'get',
    path: '/livez',
    tag: 'Service',
    head: true,
    isProbe: true,
    summary: 'Ask whether the process lives',
    answers: { 200: { description: 'It does.', mediaType: 'application/json', schema: liveness } },
  },
  {
    id: 'getReadiness',
    method: 'get',
    path: '/readyz',
    tag: 'Service',
    head: true,
    isProbe: true,
    summary: 'Ask whether requests may be sent',
    answers: {
      200: { description: 'They may.', mediaType: 'application/json', schema: liveness },
      503: {
        description: 'They may not: the process is ending.',
        mediaType: 'application/json',
        schema: liveness,
      },
    },
  },
  {
    id: 'getMetrics',
    method: 'get',
    path: '/metrics',
    tag: 'Service',
    head: true,
    summary: 'Get metrics for Prometheus',
    answers: {
      200: {
        description: 'The text format of Prometheus.',
        mediaType: 'text/plain; version=0.0.4; charset=utf-8',
        schema: z.string(),
      },
    },
  },
  {
    id: 'getDocument',
    method: 'get',
    path: '/v1/openapi.json',
    tag: 'Service',
    head: true,
    summary: 'Get this document',
    answers: {
      200: {
        description: 'The interface in OpenAPI 3.1.',
        mediaType: 'application/json',
        schema: z.looseObject({ openapi: z.string().regex(/^3\.1\.\d+$/) }),
        caching: 'no-cache',
      },
    },
  },
];
