/** How far long work has come: one line that is written over on a terminal, and a plain line every few seconds elsewhere. */

/** Where it is shown. */
export type Shown = {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
};

const terminalEveryMs = 200;
const plainEveryMs = 5_000;

/** How fast and how far. */
export type Progress = {
  /** What is done, counted. */
  readonly done: number;
  /** From 0 to 1; undefined where nobody knows. */
  readonly fraction?: number | undefined;
};

export class ProgressLine {
  readonly #to: Shown | undefined;
  readonly #what: string;
  readonly #now: () => number;
  #start: (Progress & { readonly at: number }) | undefined;
  #shownAt: number;
  #isOpen = false;

  /**
   * @param to undefined where nothing is to be shown
   * @param what is counted, in the plural
   */
  constructor(to: Shown | undefined, what: string, now: () => number = () => performance.now()) {
    this.#to = to;
    this.#what = what;
    this.#now = now;
    this.#shownAt = now();
  }

  /** Says how far it is. The first time is the beginning: rate and time left are counted from there. */
  update(progress: Progress): void {
    const at = this.#now();
    this.#start ??= { ...progress, at };
    const isTerminal = this.#to?.isTTY === true;
    if (at - this.#shownAt < (isTerminal ? terminalEveryMs : plainEveryMs)) return;
    this.#shownAt = at;
    const line = this.#line(progress, this.#start, at);
    this.#to?.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
    this.#isOpen = isTerminal;
  }

  /** Leaves the terminal's line empty for whoever writes next. */
  clear(): void {
    if (this.#isOpen) this.#to?.write('\r\u001b[K');
    this.#isOpen = false;
  }

  #line({ done, fraction }: Progress, start: Progress & { readonly at: number }, at: number): string {
    const seconds = (at - start.at) / 1000;
    const rate = seconds > 0 ? (done - start.done) / seconds : 0;
    const parts = [`${grouped(done)} ${this.#what}`, `${grouped(Math.round(rate))}/s`];
    const gone = (fraction ?? 0) - (start.fraction ?? 0);
    if (fraction !== undefined && gone > 0) {
      parts.splice(1, 0, `${Math.floor(fraction * 100)} %`);
      parts.push(`${duration((seconds * (1 - fraction)) / gone)} left`);
    }
    return parts.join(', ');
  }
}

/** Digits in groups of three. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (n: number) => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
