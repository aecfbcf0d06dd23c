/** Jobs that only wait for somebody's answer, and have let their place go to the next one. */
export type Aside = {
  /**
   * Runs `work`; resolves (or rejects) when it ends, or resolves when it calls `letGo`: it goes on by itself then, and its fault, if it
   * comes to one, is told to `onError`. Called while as many as may be stand aside already, `letGo` does nothing.
   */
  run(work: (letGo: () => void) => Promise<void>): Promise<void>;
  /** Resolves when nothing stands aside any more. */
  quiet(): Promise<void>;
};

/** @param deps.limit jobs that may stand aside at once */
export function createAside(deps: {
  readonly limit: number;
  readonly onError: (error: Error) => void;
}): Aside {
  const aside = new Set<Promise<void>>();
  return {
    run: (work) =>
      new Promise<void>((resolve, reject) => {
        let away = false;
        const letGo = () => {
          if (away || aside.size >= deps.limit) return;
          away = true;
          aside.add(going);
          resolve();
        };
        const fail = (error: Error) => (away ? deps.onError(error) : reject(error));
        // A turn later, so that `going` is there when it lets go.
        const going = Promise.resolve()
          .then(() => work(letGo))
          .then(resolve, fail)
          .finally(() => aside.delete(going));
      }),
    quiet: async () => {
      while (aside.size > 0) await Promise.all(aside);
    },
  };
}
