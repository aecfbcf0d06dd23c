// Preloaded into a worker: shifts what Date says. CHAOS_CLOCK holds { "start": instant or null, "shifts": milliseconds }: the
// clock begins at `start` (default now), and each SIGWINCH (which nothing else listens to) goes on to the next shift.
const { start, shifts } = JSON.parse(process.env.CHAOS_CLOCK ?? '{"start":null,"shifts":[0]}');
const RealDate = Date;
const base = start === null ? 0 : RealDate.parse(start) - RealDate.now();
let step = 0;
const shift = () => base + shifts[step % shifts.length];
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
