// Numbers and sentences: six digits in sentences, four in the graph, a true minus, = only if the digits bear it out.

const MOST_LISTED = 5;

const minus = (text) => text.replace(/-/g, '−');
const isFraction = (text) => text.includes('.');
const stripped = (text) => (isFraction(text) ? text.replace(/\.?0+$/, '') : text);

// As Python's format(x, '.6g') writes it.
function general(x, digits) {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x < 0 ? '-inf' : 'inf';
  if (x === 0) return '0';
  const [mantissa, exponent] = x.toExponential(digits - 1).split('e');
  const e = Number(exponent);
  if (e >= -4 && e < digits) return stripped(x.toPrecision(digits));
  return `${stripped(mantissa)}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}

const six = (x) => minus(general(x, 6));

function brief(x) {
  if (x === 0) return '0';
  const size = Math.abs(x);
  if (!Number.isFinite(x)) return minus(general(x, 4));
  if (size >= 1e-3 && size < 99999.5) return minus(size >= 9999.5 ? x.toFixed(0) : general(x, 4));
  const [mantissa, exponent] = x.toExponential(3).split('e');
  return minus(`${stripped(mantissa)}e${Number(exponent)}`);
}

const factor = (x) => (x < 0 ? `(${six(x)})` : six(x));

function equals(result, digits, ...terms) {
  const product = terms.reduce((total, x) => total * Number(general(x, digits)), 1);
  return general(product, digits) === general(result, digits) ? '=' : '≈';
}

const bracketed = (name) => (/^([\p{L}\p{N}_.'′]|\[[\p{L}\p{N}_, ]*\])+(#\d+)?$/u.test(name) ? name : `(${name})`);
const slope = (result, operand) => `∂${bracketed(result)}/∂${bracketed(operand)}`;

// The expression of a node with something for each operand, bracketed where it has to be.
function filled(node, written, bracketed) {
  return node.text.replace(/(\w?)\(\{(\d+)\}\)|\{(\d+)\}/g, (_, called, inner, bare) => {
    if (inner === undefined) return written(bare);
    return called ? `${called}(${written(inner)})` : bracketed(written(inner));
  });
}

// `x * z` and `2 * 3`.
const inNames = (node, names) => filled(node, (i) => names[i], bracketed);
const inNumbers = (node, values) =>
  filled(
    node,
    (i) => six(values[i]),
    (text) => (/^−|e/.test(text) ? `(${text})` : text),
  );

// The parts of the line of a forward step: `a = x * z`, `= 2 * 3`, `= 6`.
function computedParts(node, names, values, value) {
  const numbers = inNumbers(node, values);
  return [
    `${node.name} = ${inNames(node, names)}`,
    ...(minus(numbers) === six(value) ? [] : [`= ${numbers}`]),
    `${equalsAtShown(node, values, value)} ${six(value)}`,
  ];
}

// = if the numbers shown give the value shown, else ≈; = also where this page cannot compute the operation.
function equalsAtShown(node, values, value) {
  try {
    const shown = operandValues(node, values).map((x) => Number(general(x, 6).replace('inf', 'Infinity')));
    return six(VALUES[node.op](...shown)) === six(value) ? '=' : '≈';
  } catch {
    return '=';
  }
}

// The parts of the line of the chain rule, as the REPL says it.
function chainRuleParts(names, { from, to, upstream, local, contribution, before, after }) {
  const root = names[names.length - 1];
  return [
    `${names[to]}.grad += ${slope(root, names[from])} · ${slope(names[from], names[to])}`,
    `= ${six(upstream)} × ${factor(local)}`,
    `${equals(contribution, 6, upstream, local)} ${six(contribution)}`,
    `  (${six(before)} → ${six(after)})`,
  ];
}

function listed(names, others = 0) {
  const more = others + Math.max(0, names.length - MOST_LISTED);
  return names.slice(0, MOST_LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

// Who waits for whom; `pending` are the consumers that have not reported. In a wrong order nobody waits.
function waitingText(name, heard, of, pending, isRight) {
  if (heard > of) return `${name} has heard ${heard} times from ${of} ${of === 1 ? 'consumer' : 'consumers'}`;
  if (!isRight) return `${name} has heard from ${heard} of ${of}`;
  if (!pending.length) return `${name} is complete${of > 1 ? ` (${heard} of ${of})` : ''}`;
  const times = new Map();
  for (const from of pending.slice(0, MOST_LISTED)) times.set(from, (times.get(from) || 0) + 1);
  const several = [...times].map(([from, many]) => (many > 1 ? `${from} (${many} times)` : from));
  return `${name} waits for ${listed(several, Math.max(0, pending.length - MOST_LISTED))} (${heard} of ${of})`;
}

// Numbers one under the other, decimal point under decimal point, in a font of fixed width.
function alignedNumbers(numbers) {
  const texts = numbers.map(six);
  const after = (text) => (isFraction(text) ? text.length - text.indexOf('.') : 0);
  const most = Math.max(0, ...texts.map(after));
  return texts.map((text) => text + '\u00a0'.repeat(most - after(text)));
}
