/** Numbers as people read them. */

/** `1 code`, `2,000 codes`. */
export function counted(count: number, noun: string, many = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : many}`;
}

/** `1,234,567`. */
export function grouped(number: number): string {
  return number.toLocaleString('en-US');
}
