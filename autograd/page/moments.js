// What can be looked at: the moments of a run, which of them are stops, and what is known at one.

// One after each forward step, one for the seed, one after each contribution.
function momentsOf() {
  const found = [{ kind: 'start', step: 0, event: -1 }];
  results.forEach((node, k) => found.push({ kind: 'forward', step: k + 1, node, event: -1 }));
  found.push({ kind: 'seed', step: results.length + 1, node: root, event: -1 });
  run.visits.forEach((node, k) => {
    const end = k + 1 < run.turns.length ? run.turns[k + 1] : run.events.length;
    for (let event = run.turns[k]; event < end; event++) {
      const step = results.length + 1 + k;
      found.push({ kind: 'event', step, node, event, nth: event - run.turns[k] + 1, count: end - run.turns[k] });
    }
  });
  return found;
}

const last = () => moments.length - 1;
const seedMoment = () => results.length + 1;
const momentOfEvent = (event) => seedMoment() + 1 + event;
const stepCount = () => results.length + run.visits.length;

function isStop(moment, size) {
  const { kind, nth, count } = moments[moment];
  if (size === 'contribution' || moment === 0 || moment === last()) return true;
  if (size === 'pass') return moment === results.length;
  return kind === 'forward' || (kind === 'event' && nth === count);
}

function stopAfter(moment, size) {
  let next = Math.min(moment + 1, last());
  while (!isStop(next, size)) next += 1;
  return next;
}

function stopBefore(moment, size) {
  let next = Math.max(moment - 1, 0);
  while (!isStop(next, size)) next -= 1;
  return next;
}

// The contributions that the card shows: one, or all of a node's.
function eventsShown() {
  const { kind, event, nth, count } = moments[state.moment];
  if (kind !== 'event') return [];
  return state.size !== 'contribution' && nth === count
    ? run.events.slice(event - count + 1, event + 1)
    : [run.events[event]];
}

// What is known at this moment: values, gradients (undefined before anything arrived), how often each node has heard.
function snapshot() {
  const { event } = moments[state.moment];
  const isKnown = nodes.map((node) => !isResult(node));
  results.slice(0, state.moment).forEach((i) => {
    isKnown[i] = true;
  });
  const grads = [];
  const heard = nodes.map(() => 0);
  if (state.moment >= seedMoment()) grads[root] = 1;
  for (let k = 0; k <= event; k++) {
    const { to, after } = run.events[k];
    grads[to] = after;
    heard[to] += 1;
  }
  return { isKnown, grads, heard };
}
