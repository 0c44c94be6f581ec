/** Schemas as the document has them: JSON Schema (draft 2020-12), those with a name under `components`. */

import { z } from 'zod';
import type { Parameter } from '../parameters.ts';
import * as answers from './answers.ts';
import * as formats from './formats.ts';

const named = {
  Acknowledgement: answers.acknowledgement,
  SingleLine: answers.singleLine,
  BatchLine: answers.batchLine,
  NewLine: answers.newLine,
  RetryLine: answers.retryLine,
  RefusedLine: answers.refusedLine,
  LastLine: answers.lastLine,
  OwnRecord: answers.ownRecord,
  ExportedRecord: answers.exportedRecord,
  Receipt: formats.receipt,
  Record: formats.record,
  BatchedEvent: formats.batched,
  PublicKey: formats.publicKey,
  Evidence: formats.evidence,
  InclusionProof: answers.inclusionProof,
  ConsistencyProof: answers.consistencyProof,
  Anchor: answers.anchor,
  AnchorPage: answers.anchorPage,
  AboutLog: answers.aboutLog,
  Sizes: answers.sizes,
  Health: answers.health,
  Liveness: answers.liveness,
  SizeEvent: answers.sizeEvent,
  AnchorEvent: answers.anchorEvent,
  HealthEvent: answers.healthEvent,
  Problem: answers.problem,
  Issue: answers.issue,
  Statement: formats.compactJws,
  Checkpoint: formats.checkpoint,
  LeafHash: formats.leafHash,
  Hash: formats.hash,
  Salt: formats.salt,
  Entry: formats.entry,
} as const satisfies Record<string, z.ZodType>;

export type JsonSchema = { readonly [name: string]: unknown };

const uri = (name: string) => `#/components/schemas/${name}`;

/** Every schema that has a name. */
export function namedSchemas(): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, withoutKeywords(schema, ['$schema', '$id'])]),
  );
}

/** A schema where it is used: a reference, where it has a name. */
export function schemaOf(schema: z.ZodType): JsonSchema {
  const name = nameOf(schema);
  if (name !== undefined) return { $ref: uri(name) };
  // Of a choice between schemas with names, each is a reference, too.
  if (schema instanceof z.ZodUnion) {
    const { description } = schema;
    const anyOf = schema.options.map(option => schemaOf(option as z.ZodType));
    return description === undefined ? { anyOf } : { anyOf, description };
  }
  return withoutKeywords(z.toJSONSchema(schema, { io: 'input' }), ['$schema']);
}

/** A parameter's schema: the number that its text means, or the text. */
export function parameterSchema(parameter: Parameter | z.ZodString): JsonSchema {
  if (parameter instanceof z.ZodString) return withoutKeywords(schemaOf(parameter), ['description']);
  const { in: text, out } = parameter.def;
  return schemaOf(out instanceof z.ZodNumber ? out : text);
}

function nameOf(schema: z.ZodType): string | undefined {
  return Object.entries(named).find(([, each]) => each === schema)?.[0];
}

function withoutKeywords(schema: object, names: readonly string[]): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));
}
