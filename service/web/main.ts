/** The page's one script, with two lives: on the page it shows, in the worker it computes. */

import { startPage } from './start.ts';
import { serveTasks } from './worker.ts';
import './tokens.css';
import './page.css';
import './answer.css';
import './table.css';
import './print.css';

if (typeof document === 'undefined') serveTasks();
else startPage(document.currentScript?.textContent ?? '');
