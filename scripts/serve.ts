/** `zegel serve`: runs the service until it is told to stop. */

import type { Command } from 'commander';
import { type Setting, serviceNeeds } from '../service/config.ts';
import { buildPage } from './bundle.ts';
import { addCommand } from './command.ts';
import { keepHeapLean } from './lean-heap.ts';

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
      // Under load V8 lets it grow to 128 MiB, and nothing is faster for it (measured).
      keepHeapLean();
      // Loaded here, so that no other command waits for the whole service to load.
      const { startService } = await import('../service/main.ts');
      await buildPage();
      const service = await startService(config);
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
