// A child process of its own, because maildev installs signal handlers that end the process it runs in.
// It lives as long as the channel to its parent: a parent that was killed takes the mailbox with it.
import maildev from 'maildev';

const [folder = '', smtpPort = '', webPort = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole process group; the parent closes the channel when it is done with us.
const mailbox = maildev({
  ip: '127.0.0.1',
  smtp: Number(smtpPort),
  web: Number(webPort),
  mailDirectory: folder,
  silent: true,
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.removeAllListeners(signal);
  process.on(signal, () => undefined);
}
mailbox.listen(() => process.send?.('ready'));
