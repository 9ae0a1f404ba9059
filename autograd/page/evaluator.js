// Passes over a tape, without a view: recorded or recomputed numbers, the contributions of any order of visits.
//   const numbers = recorded(tape.nodes);                            // or recomputed(tape.nodes, leafValues)
//   const run = passed(tape.nodes, numbers.locals, ORDERS.correct(tape.nodes));
//   run.events[0]     {from, to, slot, local, upstream, contribution, before, after, left, of}

const MOST_EVENTS = 20000;
const TOLERANCE = 1e-12;

const decoded = (x) => (typeof x === 'string' ? Number(x) : x);
const isResult = (node) => node.op !== undefined;
const isNode = (operand) => typeof operand === 'number';
const operandNodes = (node) => (isResult(node) ? node.in.filter(isNode) : []);
const keyOf = (node) => `${node.op}/${node.in.length}`;

function operandValues(node, values) {
  return node.in.map((x) => (isNode(x) ? values[x] : decoded(x.constant)));
}

function recorded(nodes) {
  return {
    values: nodes.map((node) => decoded(node.value)),
    locals: nodes.map((node) => (isResult(node) ? node.local.map(decoded) : [])),
  };
}

function computed(node, operands) {
  const value = VALUES[node.op](...operands);
  const partials = PARTIALS[keyOf(node)](operands, value);
  return { value, local: partials.map((x, slot) => (isNode(node.in[slot]) ? x : null)) };
}

// All numbers from those of the leaves, which are given by node: [2, 3, undefined, ...].
function recomputed(nodes, leaves) {
  const values = [];
  const locals = nodes.map((node, i) => {
    if (!isResult(node)) {
      values.push(leaves[i]);
      return [];
    }
    const { value, local } = computed(node, operandValues(node, values));
    values.push(value);
    return local;
  });
  return { values, locals };
}

const ORDERS = {
  // Results before operands: the recorded order in reverse.
  correct: (nodes) =>
    nodes
      .map((_, i) => i)
      .filter((i) => isResult(nodes[i]))
      .reverse(),
  breadthFirst: (nodes) => once(nodes, true),
  visitOnce: (nodes) => once(nodes, false),
  // Every node speaks each time that it hears something, and says all that it has heard so far.
  revisit(nodes) {
    const waiting = [nodes.length - 1];
    const visits = [];
    while (waiting.length && visits.length < MOST_EVENTS) {
      const i = waiting.pop();
      visits.push(i);
      waiting.push(
        ...operandNodes(nodes[i])
          .filter((x) => isResult(nodes[x]))
          .reverse(),
      );
    }
    return visits;
  },
};

// Each node once, whenever its turn comes: a queue goes level by level, a stack down one path first.
function once(nodes, isQueue) {
  const waiting = [nodes.length - 1];
  const seen = new Set();
  while (waiting.length) {
    const i = isQueue ? waiting.shift() : waiting.pop();
    if (seen.has(i)) continue;
    seen.add(i);
    const next = operandNodes(nodes[i]).filter((x) => isResult(nodes[x]) && !seen.has(x));
    waiting.push(...(isQueue ? next : next.reverse()));
  }
  return [...seen];
}

function consumerCounts(nodes) {
  const counts = nodes.map(() => 0);
  for (const node of nodes) for (const i of operandNodes(node)) counts[i] += 1;
  return counts;
}

// The chain rule: every node visited adds its adjoint times each local derivative to its operands.
function passed(nodes, locals, visits, seed = 1) {
  const adjoints = nodes.map(() => 0);
  const of = consumerCounts(nodes);
  const left = [...of];
  const events = [];
  const turns = []; // the place of the first event of each visit
  adjoints[nodes.length - 1] = seed;
  for (const from of visits) {
    if (events.length >= MOST_EVENTS) break;
    turns.push(events.length);
    nodes[from].in.forEach((to, slot) => {
      if (!isNode(to)) return;
      const [local, upstream, before] = [locals[from][slot], adjoints[from], adjoints[to]];
      const contribution = upstream * local;
      adjoints[to] = before + contribution;
      left[to] -= 1;
      events.push({
        from,
        to,
        slot,
        local,
        upstream,
        contribution,
        before,
        after: adjoints[to],
        left: left[to],
        of: of[to],
      });
    });
  }
  return { events, turns, visits: visits.slice(0, turns.length), adjoints, stopped: turns.length < visits.length };
}

function isSame(x, y, scale) {
  if (Object.is(x, y) || x === y) return true;
  return Math.abs(x - y) <= TOLERANCE * Math.max(Math.abs(x), Math.abs(y), scale) + 1e-15;
}

// Whether this browser computes what was recorded: null, or why not. Node by node, so that rounding cannot add up.
function disagreement(nodes) {
  const { values, locals } = recorded(nodes);
  for (const [i, node] of nodes.entries()) {
    if (!isResult(node)) continue;
    const operands = operandValues(node, values);
    let fresh;
    try {
      fresh = computed(node, operands);
    } catch {
      return { node: i, unknown: true };
    }
    // Newer Pythons round sums once, at the end.
    const scale = node.op in { sum: 1, mean: 1, dot: 1 } ? Math.max(...operands.map(Math.abs)) : 0;
    const pairs = [[fresh.value, values[i]], ...fresh.local.map((x, slot) => [x, locals[i][slot]])];
    if (!pairs.every(([x, y]) => isSame(x, y, scale))) return { node: i, unknown: false };
  }
  const { adjoints } = passed(nodes, locals, ORDERS.correct(nodes));
  const wrong = nodes.findIndex((node, i) => !isSame(adjoints[i], decoded(node.grad), 0));
  return wrong < 0 ? null : { node: wrong, unknown: false };
}

// The first node that is nan or infinite though nothing that it is computed from is; else where a derivative is.
function firstBroken(nodes, { values, locals }) {
  const sound = (operands) => operands.every(Number.isFinite);
  for (const [i, node] of nodes.entries()) {
    if (isResult(node) && !Number.isFinite(values[i]) && sound(operandValues(node, values)))
      return { node: i, what: 'value' };
  }
  const i = locals.findIndex((local, j) => Number.isFinite(values[j]) && !sound(local.filter((x) => x !== null)));
  return i < 0 ? null : { node: i, what: 'derivative' };
}
