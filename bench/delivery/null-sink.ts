// An SMTP server that only reads and answers, as fast as it can: counts terminators, looks at nothing else.
// Arguments: [network latency in ms]. Every answer is on its way for that long; commands sent together share it.
import { createServer, type Socket } from 'node:net';

const latencyMs = Number(process.argv[2] ?? 0);
const EHLO = '250-null.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n';
const END = Buffer.from('\r\n.\r\n');

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  const answer = answerer(socket);
  let inContent = false;
  let tail = Buffer.alloc(0);
  answer('220 null.test ESMTP\r\n');
  socket.on('data', (chunk) => {
    let buffer = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk;
    let replies = '';
    for (;;) {
      if (inContent) {
        const at = buffer.indexOf(END);
        if (at === -1) {
          tail = buffer.subarray(Math.max(0, buffer.length - 4));
          break;
        }
        buffer = buffer.subarray(at + END.length);
        inContent = false;
        replies += '250 2.0.0 Ok: queued as 4F2A9C01B7\r\n';
        continue;
      }
      const at = buffer.indexOf('\r\n');
      if (at === -1) {
        tail = buffer;
        break;
      }
      const verb = buffer.toString('latin1', 0, 4).toUpperCase();
      buffer = buffer.subarray(at + 2);
      if (verb === 'DATA') {
        inContent = true;
        replies += '354 go on\r\n';
      } else if (verb === 'EHLO') replies += EHLO;
      else if (verb === 'QUIT') replies += '221 2.0.0 Bye\r\n';
      else replies += '250 2.1.0 Ok\r\n';
    }
    if (replies !== '') answer(replies);
  });
});

function answerer(socket: Socket): (text: string) => void {
  if (latencyMs === 0) return (text) => void socket.write(text, 'latin1');
  return (text) => void setTimeout(() => socket.write(text, 'latin1'), latencyMs);
}

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as { port: number }).port }));
});
process.on('SIGTERM', () => process.exit(0));
