// The least that can be done: a socket, one fixed buffer, commands of the next message behind the content of this one.
// Arguments: port, messages, size, connections, messages of the warm-up.
import { connect } from 'node:net';
import { fixedMessage, measured } from './tools.ts';

const [port = 0, messages = 0, size = 0, connections = 1, warm = 0] = process.argv.slice(2).map(Number);
const ENVELOPE = 'MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n';
const content = Buffer.concat([fixedMessage(size), Buffer.from(`.\r\n${ENVELOPE}`)]);
let left = 0;

const runConnection = () =>
  new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let greeted = 0;
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (greeted < 2) {
        greeted += 1;
        socket.write(greeted === 1 ? 'EHLO bench\r\n' : ENVELOPE, 'latin1');
        return;
      }
      if (!text.includes('354')) return;
      if (left-- > 0) socket.write(content);
      else {
        socket.destroy();
        resolve();
      }
    });
  });

const send = async (count: number) => {
  left = count;
  await Promise.all(Array.from({ length: connections }, runConnection));
};
await send(warm);
const result = await measured(messages, () => send(messages));
console.log(JSON.stringify(result));
