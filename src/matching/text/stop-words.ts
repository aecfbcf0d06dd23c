import { stemsOf } from './tokens.ts';

/** Words that say nothing of a paper's subject. */
const WORDS = `a about above after again against all also although am among an and another any are as at be because been
  before being below between both but by can cannot could did do does doing done down due during each either else
  etc even ever every few for from further had has have having he hence her here hers him his how however i if in
  indeed into is it its itself just least less let like made make makes making many may me might more most much must my
  nearly neither no nor not of off often on once one only onto or other others our ours out over own per perhaps
  quite rather same several shall she should show shown since so some still such than that the their theirs them
  then there thereby therefore these they this those though through throughout thus to together too toward towards
  two under until up upon us use used uses using various very via was we well were what when where whereas
  whether which while who whom whose why will with within without would yet you your
  paper propose proposed approach method result results show shows demonstrate novel new based present
  e g ie eg`;

/** Stems of the stop words. */
export const STOP_STEMS: ReadonlySet<string> = new Set(stemsOf(WORDS));
