/** maildev 2 ships no types; this is the part that mailbox-process.ts uses. */
declare module 'maildev' {
  type Options = {
    ip: string;
    smtp: number;
    web: number;
    mailDirectory: string;
    silent: boolean;
  };
  export default function maildev(options: Options): { listen(ready: () => void): void };
}
