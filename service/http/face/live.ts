/**
 * The program of the ledger's face: brings the page up to date from the stream. It is sent to browsers as the text of this function,
 * so it stands alone: nothing outside it is there when it runs. Without it the page says the same, as of when it was asked for.
 */

export function live(): void {
  const root = document.documentElement;
  const number = new Intl.NumberFormat(root.lang);
  const at = (name: string) => document.querySelector(`[data-live="${name}"]`);
  const put = (name: string, text: string) => {
    const element = at(name);
    if (element !== null && element.textContent !== text) element.textContent = text;
  };
  const word = (name: string) => at('words')?.getAttribute(`data-${name}`) ?? '';
  const seconds = (ms: number) => {
    const s = ms / 1000;
    if (s < 10) return `${number.format(Math.round(s * 10) / 10)} s`;
    return s < 120 ? `${Math.round(s)} s` : `${number.format(Math.round(s / 60))} min`;
  };
  const minute = (time: string) => time.slice(0, 19).replace('T', ' ');
  let last = at('time')?.textContent ?? '';

  function size(data: { time: string; sizes: Record<string, number>; minutes: number[] }): void {
    last = minute(data.time);
    put('time', last);
    for (const name of ['signed', 'anchored', 'final']) put(name, number.format(data.sizes[name] ?? 0));
    const most = Math.max(...data.minutes);
    put('total', number.format(data.minutes.reduce((sum, count) => sum + count, 0)));
    put('most', number.format(most));
    const bars = document.querySelectorAll('[data-live="chart"] rect');
    for (const [i, bar] of [...bars].entries()) {
      const height = most === 0 ? 0 : (100 * (data.minutes[i] ?? 0)) / most;
      bar.setAttribute('y', String(100 - height));
      bar.setAttribute('height', String(height));
    }
  }

  function anchor(data: { size: number; block: number; blockTime: string; lagMs: number | null }): void {
    const rows = at('anchors');
    if (rows === null) return;
    const known = [...rows.querySelectorAll('tr')].some(
      row => row.getAttribute('data-size') === String(data.size),
    );
    if (known) return;
    const row = document.createElement('tr');
    row.setAttribute('data-size', String(data.size));
    const cells = [
      number.format(data.size),
      number.format(data.block),
      minute(data.blockTime),
      data.lagMs === null ? '' : seconds(data.lagMs),
    ];
    const names = [...document.querySelectorAll('[data-live="anchor-names"] th')].map(
      each => each.textContent,
    );
    for (const [i, text] of cells.entries()) {
      const cell = document.createElement(i === 0 ? 'th' : 'td');
      if (i === 0) cell.setAttribute('scope', 'row');
      cell.setAttribute('data-name', names[i] ?? '');
      cell.textContent = text;
      row.append(cell);
    }
    rows.prepend(row);
    while (rows.children.length > 10) rows.lastElementChild?.remove();
    at('no-anchors')?.remove();
  }

  function health(data: {
    status: string;
    reasons: string[];
    chain: string;
    waitingSince: string | null;
  }): void {
    put('health', word(`status-${data.status.toLowerCase()}`));
    put('reasons', data.reasons.join(', '));
    put('chain', word(`chain-${data.chain}`));
    put(
      'waiting',
      data.waitingSince === null ? word('nobody') : `${word('since')} ${minute(data.waitingSince)}`,
    );
    at('health')?.setAttribute('data-state', data.status);
    at('chain')?.setAttribute('data-state', data.chain);
  }

  function open(): void {
    const stream = new EventSource(at('words')?.getAttribute('data-stream') ?? '');
    const on = (name: string, show: (data: never) => void) =>
      stream.addEventListener(name, event => show(JSON.parse((event as MessageEvent<string>).data) as never));
    on('size', size);
    on('anchor', anchor);
    on('health', health);
    stream.addEventListener('open', () => put('state', word('on')));
    stream.addEventListener('error', () => {
      put('state', `${word('lost')} ${last}.`);
      // A browser gives up when it is refused; there may be room again.
      if (stream.readyState === EventSource.CLOSED) setTimeout(open, 30_000);
    });
  }
  open();
}
