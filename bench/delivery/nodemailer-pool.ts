// nodemailer's own pool sending ready-made raw messages: the yardstick. Arguments: port, messages, size, connections.
import nodemailer from 'nodemailer';
import { fixedMessage, measured } from './tools.ts';

const [port, messages = 0, size = 0, connections = 1] = process.argv.slice(2).map(Number);
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
let left = messages;
const lane = async () => {
  while (left-- > 0) await transport.sendMail({ envelope, raw });
};
const result = await measured(messages, async () => {
  await Promise.all(Array.from({ length: connections * 2 }, lane));
});
transport.close();
console.log(JSON.stringify(result));
