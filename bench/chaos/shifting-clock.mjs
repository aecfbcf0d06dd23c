// Preloaded into a worker: each SIGWINCH (which nothing else listens to) shifts what Date says: an hour ahead, right again, an hour back, right again.
const SHIFTS = [0, 3_600_000, 0, -3_600_000];
let step = 0;
const RealDate = Date;
const shift = () => SHIFTS[step % SHIFTS.length];
globalThis.Date = class extends RealDate {
  constructor(...parameters) {
    if (parameters.length === 0) super(RealDate.now() + shift());
    else super(...parameters);
  }
  static now() {
    return RealDate.now() + shift();
  }
};
process.on('SIGWINCH', () => {
  step += 1;
});
