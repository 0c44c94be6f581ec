/** Asking a service for a proof-only receipt. What it sends is bounded in size and time, and none of it is believed here. */

/** Why nothing came. None of these says anything about a record. */
export type NotSent = 'no-service' | 'unreachable' | 'not-found' | 'strange-answer';

/** More than the largest receipt of the largest event. What is larger is no receipt. */
export const maxReceiptBytes = 8 * 1024 * 1024;

const timeoutMs = 15_000;

/** Asks for the receipt of a leaf hash. @param service the base URL, without a slash at its end; null if there is none to ask */
export async function askReceipt(service: string | null, leaf: string): Promise<Uint8Array | NotSent> {
  if (service === null) return 'no-service';
  const url = `${service}/v1/records/${leaf}/receipt`;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    // Nothing is sent along but the hash: no cookie, no address of this page.
    const answer = await fetch(url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
    if (answer.status === 404) return 'not-found';
    if (!answer.ok || answer.body === null) return 'unreachable';
    return (await readBounded(answer.body)) ?? 'strange-answer';
  } catch {
    // Offline, refused, too slow, cut off: fetch does not say which, and it makes no difference here.
    return 'unreachable';
  }
}

async function readBounded(body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> {
  const reader = body.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let lengthBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    lengthBytes += value.length;
    if (lengthBytes > maxReceiptBytes) {
      await reader.cancel();
      return undefined;
    }
    parts.push(new Uint8Array(value));
  }
}

/** Whom to ask: the service that the settings name, or the one that the page comes from; a file on a disk comes from none. */
export function serviceOf(named: string | null, page: Location): string | null {
  if (named !== null) return named.replace(/\/$/, '');
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return null;
  return new URL('.', page.href.split(/[?#]/)[0]).href.replace(/\/$/, '');
}
