import { readFileSync } from 'node:fs';
import { type Config, ConfigError } from './config.ts';
import { createDkimSigner, type DkimKey, dkimRecord, type Sign } from './mail/dkim.ts';

/**
 * Signs with the keys of DKIM_KEYS; undefined when there are none, and the relay signs or nobody does.
 * @throws ConfigError for a key file that can't be read or holds no usable key
 */
export function signerOf({ sender }: Pick<Config, 'sender'>, now: () => Date): Sign | undefined {
  if (sender.dkimKeys.length === 0) return undefined;
  const keys = dkimKeysOf({ sender });
  return naming(() => createDkimSigner({ keys, now }));
}

/** The keys of DKIM_KEYS in their order, usable ones. @throws ConfigError as {@link signerOf} */
export function dkimKeysOf({ sender }: Pick<Config, 'sender'>): readonly DkimKey[] {
  return naming(() => {
    const keys = sender.dkimKeys.map(({ path, ...key }) => ({
      ...key,
      privateKey: readFileSync(path, 'utf8'),
    }));
    keys.forEach(dkimRecord);
    return keys;
  });
}

function naming<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new ConfigError([`DKIM_KEYS: ${error instanceof Error ? error.message : String(error)}`]);
  }
}
