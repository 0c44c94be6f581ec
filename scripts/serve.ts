/** `zegel serve`: runs the service until it is told to stop. */

import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { type Setting, serviceNeeds } from '../service/config.ts';
import { buildPage } from './bundle.ts';
import { addCommand } from './command.ts';

const uses: readonly Setting[] = [
  'host',
  'port',
  'logKeyFile',
  'serviceKeyFile',
  'passphraseFile',
  'guardFile',
  'anchorIntervalMs',
  'confirmations',
  'batchMax',
  'eventMaxBytes',
  'keyLimit',
  'addressLimit',
  'readLimit',
  'baseUrl',
  'languages',
  'logLevel',
];

export function addServe(program: Command): void {
  addCommand(
    program,
    'serve',
    'run the service',
    { needs: serviceNeeds, uses },
    async ({ config, output }) => {
      // Loaded here, so that no other command waits for the whole service to load.
      const { startService } = await import('../service/main.ts');
      await buildPage();
      const service = await startService(config);
      // V8 lets its young generation grow to 128 MiB under load, and gains nothing by it here (measured): it stays at what the start needed.
      setFlagsFromString('--semi-space-growth-factor=1');
      output.result(`serving at ${service.url}`, { url: service.url });
      await stopSignal();
      await service.stop();
      return 0;
    },
  );
}

/** Waits for the first SIGINT or SIGTERM. A second one ends the process at once, as usual. */
export function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    const stop = () => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
}
