/* `node make_home.js DIRECTORY`: makes the home that the stacks of a run of tests begin with. */
import { copyHome } from './home.js';
import { startStack } from './stack.js';

const stack = await startStack({}, { fresh: true });
await stack.must(['down']);
copyHome(stack.home, process.argv[2]);
await stack.stop();
process.exit(0);
