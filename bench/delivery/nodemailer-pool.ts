// nodemailer's own pool sending ready-made raw messages: the yardstick. Arguments: port, messages, size, connections,
// messages of the warm-up: sent before, through the same pool.
import nodemailer from 'nodemailer';
import { fixedMessage, measured } from './tools.ts';

const [port, messages = 0, size = 0, connections = 1, warm = 0] = process.argv.slice(2).map(Number);
const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port: port ?? 0,
  pool: true,
  maxConnections: connections,
  maxMessages: Number.POSITIVE_INFINITY,
  ignoreTLS: true,
});
const raw = fixedMessage(size);
const envelope = { from: 'a@example.org', to: ['b@example.org'] };
/** Two callers for each connection, so that none waits. */
const send = async (count: number) => {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await transport.sendMail({ envelope, raw });
  };
  await Promise.all(Array.from({ length: connections * 2 }, lane));
};
await send(warm);
const result = await measured(messages, () => send(messages));
transport.close();
console.log(JSON.stringify(result));
