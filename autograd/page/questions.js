// Predictions: what to ask of a contribution, and what a wrong answer tells. No view here.
//   const question = questionOf(event, values);   // null where it would not tell right from wrong
//   verdict(question, '42').told                  // "42: that is this contribution alone; ..."

const FEWEST_DIGITS = 3, FROM_SHOWN = 2e-5;

const WORTH_ASKING = ['overwrote', 'forgot local'];

// Right to the digits that were typed, rounded or cut off, three at least, or, but for whole numbers, to what numbers
// shown with six digits give; as mistakes.py has it. Where the numbers that the truth was computed from, of size `scale`, cancel,
// 0 is right for what rounding leaves.
function agrees(text, truth, scale = 0) {
  const answer = Number(text);
  if (answer === truth) return true;
  if (!Number.isFinite(answer) || !Number.isFinite(truth)) return false;
  if (answer === 0) return Math.abs(truth) < 1e-12 * scale;
  const [digits, exponent] = Math.abs(answer).toExponential().split('e');
  const unit = 10 ** (Number(exponent) - Math.max(digits.replace('.', '').length, FEWEST_DIGITS) + 1);
  const gap = Math.abs(answer - truth);
  const isCutOff = Math.abs(answer) < Math.abs(truth) && answer < 0 === truth < 0;
  const whole = Number.isInteger(answer) && Number.isInteger(truth);
  return gap <= unit * 0.5000001 || (isCutOff && gap < unit * 0.9999999) || (!whole && gap <= Math.abs(truth) * FROM_SHOWN);
}

const near = (x, y) => Math.abs(x - y) <= 2e-3 * Math.max(Math.abs(x), Math.abs(y));

// The usual mistakes: each is a number, and what is true of it.
function mistakes({ before, upstream, local, contribution }, values, asksTotal) {
  const start = asksTotal ? before : 0;
  const kept = asksTotal && before !== 0 ? ` to the ${six(before)} that was there` : '';
  const all = [
    [
      'overwrote',
      contribution,
      `that is this contribution alone; it does not replace the ${six(before)} that had arrived, it adds to it`,
    ],
    [
      'forgot upstream',
      start + local,
      `that adds the local derivative ${six(local)} without the gradient ${six(upstream)} that arrives from above`,
    ],
    [
      'forgot local',
      start + upstream,
      `that hands the gradient ${six(upstream)} on unchanged, without the local derivative ${six(local)}`,
    ],
    [
      'added',
      start + local + upstream,
      `that adds ${six(upstream)} and ${six(local)}; along a path they are multiplied`,
    ],
    [
      'own factor',
      start + values.to * upstream,
      `that multiplies by the operand's own value, ${six(values.to)}; its local derivative is ${six(local)}`,
    ],
    [
      'value for gradient',
      start + values.from * local,
      `that takes the value of the result, ${six(values.from)}, for its gradient, which is ${six(upstream)}`,
    ],
    [
      'wrong sign',
      start - contribution,
      `the sign is turned: ${six(upstream)} × ${factor(local)} is ${six(contribution)}, added${kept}`,
    ],
    [
      'nothing arrived',
      start,
      asksTotal
        ? `that is what was there before; ${six(contribution)} arrives`
        : `something arrives: ${six(upstream)} × ${factor(local)}`,
    ],
  ];
  return all
    .filter(([kind]) => asksTotal || kind !== 'overwrote')
    .map(([kind, answer, told]) => ({ kind, answer, told }));
}

function questionOf(event, values) {
  const asksTotal = event.before !== 0;
  const truth = asksTotal ? event.after : event.contribution;
  // A wrong way that gives the right number here teaches nothing: it is not looked for, and one of those that matter
  // most has to be left for the question to be worth asking.
  const found = mistakes(event, values, asksTotal).filter((x) => Number.isFinite(x.answer) && !near(x.answer, truth));
  const isTelling = Number.isFinite(truth) && found.some((x) => WORTH_ASKING.includes(x.kind));
  return isTelling ? { event, asksTotal, truth, mistakes: found } : null;
}

// Which events are asked for: the first of each kind, every later arrival at a fork, and one in four of the rest.
function askedEvents(nodes, events, values) {
  const known = new Set();
  const asked = new Map();
  events.forEach((event, i) => {
    const question = questionOf(event, { from: values[event.from], to: values[event.to] });
    const kind = `${nodes[event.from].op} ${event.slot}`;
    if (question && (!known.has(kind) || event.before !== 0 || i % 4 === 0)) {
      known.add(kind);
      asked.set(i, { ...question, index: i });
    }
  });
  return asked;
}

function verdict(question, typed) {
  const text = typed.trim().replaceAll('−', '-').replace(',', '.');
  if (text === '' || Number.isNaN(Number(text)))
    return { kind: 'no number', told: 'that is no number; try 3, −0.5 or 1e-3' };
  const { asksTotal, truth } = question;
  const { upstream, local, contribution, before } = question.event;
  const sign = equals(contribution, 6, upstream, local);
  const product = `${six(upstream)} × ${factor(local)} ${sign} ${six(contribution)}`;
  const truly = asksTotal ? `${product}, and ${six(before)} + ${factor(contribution)} is ${six(truth)}` : product;
  if (agrees(text, truth, Math.max(Math.abs(before), Math.abs(contribution)))) return { kind: 'right', told: `Yes: ${truly}.` };
  const mistake = question.mistakes.find((x) => agrees(text, x.answer));
  if (!mistake) return { kind: 'other', told: `${six(Number(text))} is not it: ${truly}.` };
  return { kind: mistake.kind, told: `${six(Number(text))}: ${mistake.told}. Right is ${truly}.` };
}
