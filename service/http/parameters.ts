/** Parameters of queries and paths: how each is spelt, what is read from it, and how `/v1/openapi.json` describes it. */

import { z } from 'zod';
import { abbreviate, formatHex, parseHex, parseSafeInteger } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { languages } from '../web/settings.ts';

/** A text of the request line, and what it means. */
export type Parameter = z.ZodCodec<z.ZodString, z.ZodType>;

export type Parameters = { readonly [name: string]: Parameter };

/** A size or an index: decimal digits, at most 2^53 - 1, in the one form that we would print. */
function integer(description: string) {
  return z
    .codec(z.string(), z.int().nonnegative(), {
      decode: (text, context) => {
        const number = parseSafeInteger(text);
        if (number !== undefined) return number;
        const message = `"${abbreviate(text)}" is not an integer from 0 to 2^53 - 1 in decimal digits`;
        context.issues.push({ code: 'custom', message, input: text });
        return z.NEVER;
      },
      encode: String,
    })
    .describe(description);
}

/** A leaf hash: 64 lower-case hexadecimal digits. */
export const leafHashParameter = z
  .codec(z.string().meta({ pattern: '^[0-9a-f]{64}$' }), z.instanceof(Uint8Array<ArrayBufferLike>), {
    decode: (text, context) => {
      try {
        return parseHex(text, 32);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        for (const { message } of error.issues) context.issues.push({ code: 'custom', message, input: text });
        return z.NEVER;
      }
    },
    encode: formatHex,
  })
  .describe('The leaf hash of an entry, which is the public identifier of a record.');

export const sizeParameter = integer('A size of the log at which it was anchored.');

export const inclusionQuery = {
  leafHash: leafHashParameter,
  size: integer('The size of the tree that the path leads to: at least 1, at most the signed size.'),
};

export const consistencyQuery = {
  first: integer('The smaller size: at least 1.'),
  second: integer('The larger size, or the same: at most the signed size.'),
};

export const anchorsQuery = {
  cursor: integer('Anchors of more entries than this. Follow `next` rather than making one up.'),
};

export const exportQuery = {
  from: integer('The first index, inclusive; 0 if left out.'),
  to: integer('The last index, exclusive, at most the signed size; the signed size if left out.'),
};

export const pageQuery = {
  lang: z
    .codec(z.string(), z.enum(languages), {
      decode: (text, context) => {
        const language = languages.find(known => known === text);
        if (language !== undefined) return language;
        const message = `"${abbreviate(text)}" is not ${languages.join(', ')}`;
        context.issues.push({ code: 'custom', message, input: text });
        return z.NEVER;
      },
      encode: String,
    })
    .describe('A language of the page, where that is not to go by `Accept-Language`.'),
};
