// The value of every primitive of rules.py, as JavaScript computes it; their derivatives are printed from rules.py.
// Where Python raises an error, these give nan or an infinity.

const sign = (x) => (x > 0) - (x < 0);
const added = (values) => values.reduce((total, x) => total + x, 0);
const logistic = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

function weighted(...operands) {
  const half = Math.floor(operands.length / 2);
  let total = 0;
  for (let i = 0; i < half; i++) total += operands[i] * operands[half + i];
  return total + operands[2 * half];
}

function logOfSum(...values) {
  const largest = Math.max(...values);
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(added(values.map((x) => Math.exp(x - largest))));
}

function clipped(x, low, high) {
  if (low > high || low !== low || high !== high) return NaN;
  return x < low ? low : x > high ? high : x;
}

const VALUES = {
  add: (x, y) => x + y,
  subtract: (x, y) => x - y,
  multiply: (x, y) => x * y,
  divide: (x, y) => x / y,
  negative: (x) => -x,
  positive: (x) => x,
  power: (x, y) => (x === 1 ? 1 : Math.pow(x, y)),
  absolute: Math.abs,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sign: (x) => (x === x ? sign(x) : x),
  step: (x) => (x === x ? Number(x > 0) : x),
  share: (x, y) => (x > y ? 1 : x < y ? 0 : x === y ? 0.5 : NaN),
  maximum: (x, y) => (x >= y || x !== x ? x : y),
  minimum: (x, y) => (x <= y || x !== x ? x : y),
  where: (condition, x, y) => (condition > 0 ? x : y),
  clip: clipped,
  sigmoid: (x, slope) => logistic(slope * x),
  softplus: (x, beta) => Math.log1p(Math.exp(-Math.abs(beta * x))) / beta + (beta * x > 0 ? x : 0),
  relu: (x) => (x > 0 || x !== x ? x : 0),
  leaky_relu: (x, slope) => (x > 0 ? x : slope * x),
  elu: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  silu: (x) => x * logistic(x),
  sum: (...values) => added(values),
  mean: (...values) => added(values) / values.length,
  dot: weighted,
  logsumexp: logOfSum,
};

// The local derivatives, by name and number of operands: filled from rules.py.
const PARTIALS = {};
