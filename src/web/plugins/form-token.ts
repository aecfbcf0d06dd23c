import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from '#src/subscribers/tokens.ts';

/** A time check of the subscribe form: programs that post without looking at the page fail it, at no one's cost. */
export type FormTimes = {
  /** The hidden field of a form made at `now`. */
  issue(now: Date): string;
  /**
   * `fresh` when the form was made between {@link TOO_FAST_MS} and a day ago; `absent` when nothing was sent, as a
   * form on somebody's own site or a script does: the caps on requests hold for those as for all.
   */
  check(value: string, now: Date): 'fresh' | 'absent' | 'too-fast' | 'too-old' | 'forged';
};

/** Faster than anybody who uses a password manager, slower than a program that fills in forms. */
const TOO_FAST_MS = 300;
const TOO_OLD_MS = 86_400_000;

/** Makes and checks the hidden field: milliseconds since 1970 in base 36, and their tag. */
export function createFormTimes(secret: string): FormTimes {
  const key = deriveKey(secret, 'form-times');
  const tag = (made: string) => createHmac('sha256', key).update(made).digest('base64url').slice(0, 22);
  return {
    issue(now) {
      const made = now.getTime().toString(36);
      return `${made}.${tag(made)}`;
    },
    check(value, now) {
      if (value === '') return 'absent';
      const [made = '', given = ''] = value.split('.');
      if (given.length !== 22 || !/^[0-9a-z]{1,10}$/.test(made)) return 'forged';
      if (!timingSafeEqual(Buffer.from(tag(made)), Buffer.from(given.padEnd(22).slice(0, 22))))
        return 'forged';
      const age = now.getTime() - Number.parseInt(made, 36);
      if (age > TOO_OLD_MS) return 'too-old';
      return age < TOO_FAST_MS ? 'too-fast' : 'fresh';
    },
  };
}
