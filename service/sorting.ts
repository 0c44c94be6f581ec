/** Sorting what was taken together: new records, and retries of those that are recorded or stand in the same batch. */

import { formatHex, parseUint64 } from '../merkle/bytes.ts';
import type { ChainItem, FreshItem, RecordItem } from './draft.ts';
import type { HmacKey } from './hashing.ts';
import { nameKey } from './layout.ts';
import type { Store } from './store.ts';

/** A submission of an event that is recorded at an index, or that another submission of the same batch brings in. */
export type Retry = { readonly item: RecordItem; readonly of: number | RecordItem };

/** Tells new records from retries, by natural key under the log's secret, within the batch as well. */
export async function sortItems(
  taken: readonly (RecordItem | ChainItem)[],
  { store, secret }: { readonly store: Store; readonly secret: HmacKey },
): Promise<{ readonly fresh: readonly FreshItem[]; readonly retries: readonly Retry[] }> {
  const items = taken.map((item): FreshItem => {
    if (item.kind === 'chain') return { item };
    const { agency, source, id } = item.submission;
    return { item, name: nameKey(secret, agency, source, id) };
  });
  const names = items.flatMap(each => ('name' in each ? [each.name] : []));
  const known = await store.getMany('name', names);
  const fresh: FreshItem[] = [];
  const retries: Retry[] = [];
  const inBatch = new Map<string, RecordItem>();
  let at = 0;
  for (const each of items) {
    if (!('name' in each)) {
      fresh.push(each);
      continue;
    }
    const { item, name } = each;
    const index = known[at++];
    const text = formatHex(name);
    const first = inBatch.get(text);
    if (index !== undefined) {
      retries.push({ item, of: parseUint64(index) });
    } else if (first === undefined) {
      inBatch.set(text, item);
      fresh.push(each);
    } else {
      retries.push({ item, of: first });
    }
  }
  return { fresh, retries };
}
