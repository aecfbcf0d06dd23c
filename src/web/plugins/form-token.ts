import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from '#src/subscribers/tokens.ts';

/** A time check of the subscribe form: programs that post without looking at the page fail it, at no one's cost. */
export type FormTimes = {
  /** The hidden field of a form made at `now`. */
  issue(now: Date): string;
  /** `fresh` when the form was made between two seconds and a day ago. */
  check(value: string, now: Date): 'fresh' | 'too-fast' | 'too-old' | 'forged';
};

const TOO_FAST_MS = 2000;
const TOO_OLD_MS = 86_400_000;

/** Makes and checks the hidden field: seconds since 1970 and their tag. */
export function createFormTimes(secret: string): FormTimes {
  const key = deriveKey(secret, 'form-times');
  const tag = (seconds: string) => createHmac('sha256', key).update(seconds).digest('base64url').slice(0, 22);
  return {
    issue(now) {
      const seconds = Math.floor(now.getTime() / 1000).toString(36);
      return `${seconds}.${tag(seconds)}`;
    },
    check(value, now) {
      const [seconds = '', given = ''] = value.split('.');
      if (given.length !== 22 || !/^[0-9a-z]{1,10}$/.test(seconds)) return 'forged';
      if (!timingSafeEqual(Buffer.from(tag(seconds)), Buffer.from(given.padEnd(22).slice(0, 22))))
        return 'forged';
      const age = now.getTime() - Number.parseInt(seconds, 36) * 1000;
      if (age > TOO_OLD_MS) return 'too-old';
      return age < TOO_FAST_MS ? 'too-fast' : 'fresh';
    },
  };
}
