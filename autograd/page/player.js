// The player: what is shown is a function of `state`, the numbers and the run; every control changes one of them and
// calls show(). Nothing is kept in the page itself.

const tape = JSON.parse(byId('tape').textContent);
const { nodes } = tape;
const names = nodes.map((node) => node.name);
const root = nodes.length - 1;
const results = nodes.map((_, i) => i).filter((i) => isResult(nodes[i]));
const consumers = consumersOf();
const recordedNumbers = recorded(nodes);
const refusal = disagreement(nodes);

const state = {
  moment: 0,
  size: 'contribution',
  order: 'correct',
  speed: 1,
  playing: null, // the timer
  selected: null,
  focused: root,
  leaves: recordedNumbers.values.slice(),
  changed: false,
  predicting: false,
  question: null, // what is being asked
  reply: '',
  zoom: null, // null: fit
};

let numbers = recordedNumbers;
let run;
let truth; // the adjoints of the correct order
let moments;
let asked = new Map();

const graph = graphView(nodes);
const rows = leavesView(byId('leaves'), nodes, recordedNumbers.values, { moved: paused(moveLeaf), nudged });
const tableRows = [...byId('rows').rows].map((row) => row.cells);

function consumersOf() {
  const found = nodes.map(() => []);
  for (const i of ORDERS.correct(nodes)) for (const x of operandNodes(nodes[i])) found[x].push(i);
  return found;
}

// ----- What changes -----

function recompute() {
  numbers = state.changed ? recomputed(nodes, state.leaves) : recordedNumbers;
  const right = passed(nodes, numbers.locals, ORDERS.correct(nodes));
  truth = right.adjoints;
  run = state.order === 'correct' ? right : passed(nodes, numbers.locals, ORDERS[state.order](nodes));
  moments = momentsOf();
  asked = state.predicting ? askedEvents(nodes, run.events, numbers.values) : new Map();
  state.moment = Math.min(state.moment, last());
}

function moveLeaf(i, x) {
  state.leaves[i] = x;
  for (const { told } of rows.values()) setText(told, ''); // it was about other numbers
  state.changed = state.leaves.some((value, k) => !Object.is(value, recordedNumbers.values[k]));
  closeQuestion();
  recompute();
  show();
}

function nudged(i) {
  const h = 1e-3;
  const value = (x) =>
    recomputed(
      nodes,
      state.leaves.map((leaf, k) => (k === i ? leaf + x : leaf)),
    ).values[root];
  const predicted = truth[i] * h;
  const actual = value(h) - value(0);
  return `predicted ${six(truth[i])} × 0.001 = ${six(predicted)}, actual ${six(actual)}, gap ${six(actual - predicted)}`;
}

function goTo(moment) {
  closeQuestion();
  state.moment = Math.max(0, Math.min(moment, last()));
  show();
}

function advance(size = state.size) {
  const next = stopAfter(state.moment, size);
  for (let moment = state.moment + 1; moment <= next && !state.question; moment++) {
    const { kind, event } = moments[moment];
    if (kind === 'event' && asked.has(event)) {
      state.moment = moment - 1;
      ask(asked.get(event));
      return;
    }
  }
  goTo(next);
}

function closeQuestion() {
  state.question = null;
  state.reply = '';
}

function ask(question) {
  stop();
  asked.delete(question.index);
  state.question = question;
  state.reply = '';
  show();
  byId('answer').focus();
}

function answer(typed) {
  const { kind, told } = verdict(state.question, typed);
  if (kind === 'no number') {
    setText(byId('answer-note'), told);
    return;
  }
  const moment = momentOfEvent(state.question.index);
  goTo(moment);
  state.reply = told;
  byId('reply').dataset.kind = kind;
  show();
  say(told);
  byId('next').focus();
}

// ----- Playing -----

function play() {
  if (state.moment === last()) state.moment = 0;
  tick(true);
}

function tick(isFirst) {
  const pause = (state.size === 'contribution' ? 1400 : 2000) / state.speed;
  state.playing = setTimeout(
    () => {
      advance();
      if (state.question || state.moment === last()) stop();
      else tick(false);
      showTransport();
    },
    isFirst ? 0 : pause,
  );
  showTransport();
}

function stop() {
  clearTimeout(state.playing);
  state.playing = null;
}

function paused(action) {
  return (...given) => {
    stop();
    action(...given);
    showTransport();
  };
}

// ----- Showing -----

function show() {
  const now = snapshot();
  showGraph(now);
  showTable(now);
  showCard(now);
  showLedger(now);
  showCode();
  showTransport();
  showNotices();
  rows.forEach((row, i) => showLeaf(row, state.leaves[i]));
  setText(byId('source'), state.changed ? 'recomputed in your browser' : 'as recorded');
  setClass(byId('source'), 'badge', state.changed);
  remember();
}

const shownValue = (now, i, written) => (now.isKnown[i] ? written(numbers.values[i]) : '–');
const shownGrad = (now, i, written) => (now.grads[i] === undefined ? '–' : written(now.grads[i]));

function showGraph(now) {
  const { kind, node } = moments[state.moment];
  const events = state.question ? [state.question.event] : eventsShown();
  const speaker = state.question ? state.question.event.from : node;
  const targets = new Set(events.map(({ to }) => to));
  const isForward = kind === 'forward' && !state.question;
  graph.views.forEach((view, i) => {
    showNumber(view.value, shownValue(now, i, brief));
    showNumber(view.gradient, `g ${shownGrad(now, i, brief)}`);
    showPips(view, Math.min(now.heard[i], view.count));
    setClass(view.group, 'now', i === speaker);
    setClass(view.group, 'target', targets.has(i));
    setClass(view.group, 'selected', i === state.selected);
    setAttribute(view.group, 'aria-pressed', String(i === state.selected));
    setClass(view.group, 'unknown', !now.isKnown[i]);
    const words = spoken(now, i);
    if (view.words !== words) {
      view.words = words;
      setText(view.title, words);
      view.group.setAttribute('aria-label', words);
    }
    setAttribute(view.group, 'tabindex', i === state.focused ? '0' : '-1');
  });
  lightArrows(graph, isForward ? forwardLights(node) : events.map(state.question ? askedLight : backwardLight));
  const operands = isForward ? operandNodes(nodes[node]).slice(0, 4) : [];
  bringIntoView(graph, byId('stage'), speaker === undefined ? [] : [...operands, speaker, ...targets]);
}

function forwardLights(i) {
  return nodes[i].in.map((_, slot) => ({ id: `n${i}o${slot}`, kind: 'forward', text: '' }));
}

function backwardLight({ from, slot, local, contribution }) {
  return { id: `n${from}o${slot}`, kind: 'backward', text: `× ${brief(local)}`, flow: contribution };
}

const askedLight = ({ from, slot }) => ({ id: `n${from}o${slot}`, kind: 'backward', text: '?' });

function spoken(now, i) {
  const made = isResult(nodes[i]) ? `${names[i]} = ${inNames(nodes[i], names)}` : `${names[i]}, leaf`;
  const of = consumers[i].length;
  const soFar = now.heard[i] < of && now.grads[i] !== undefined ? ' so far' : '';
  const grad = now.grads[i] === undefined ? 'no gradient yet' : `gradient ${brief(now.grads[i])}${soFar}`;
  const count =
    i === root ? 'the result' : `heard from ${now.heard[i]} of ${of} ${of === 1 ? 'consumer' : 'consumers'}`;
  return `${made}: value ${shownValue(now, i, brief)}, ${grad}, ${count}`;
}

function showTable(now) {
  tableRows.forEach((cells, i) => {
    setText(cells[2], shownValue(now, i, six));
    setText(cells[3], shownGrad(now, i, six));
    setText(cells[4], i === root ? 'the result' : `${now.heard[i]} of ${consumers[i].length}`);
    setClass(byId('rows').rows[i], 'selected', i === state.selected);
  });
}

function positionText() {
  const { step, nth, count, kind } = moments[state.question ? momentOfEvent(state.question.index) : state.moment];
  const part =
    kind === 'event' && count > 1 && state.size === 'contribution' ? `, contribution ${nth} of ${count}` : '';
  return `step ${step} of ${stepCount()}${part}`;
}

function showTransport() {
  const scrubber = byId('scrubber');
  scrubber.max = last();
  scrubber.value = state.moment;
  scrubber.setAttribute('aria-valuetext', positionText());
  setText(byId('position'), `step ${moments[state.moment].step} of ${stepCount()}`);
  byId('forward-part').style.flexGrow = results.length + 0.5;
  byId('backward-part').style.flexGrow = last() - results.length - 0.5;
  const isPlaying = state.playing !== null;
  byId('play').setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
  setClass(document.documentElement, 'playing', isPlaying);
  byId('first').disabled = byId('previous').disabled = state.moment === 0;
  byId('next').disabled = byId('last').disabled = state.moment === last() && !state.question;
}

function showCode() {
  const { node, kind } = moments[state.moment];
  const line = node === undefined ? undefined : nodes[node].line;
  [...byId('code-lines').children].forEach((item, k) => {
    setClass(item, 'made', k === line && kind === 'forward');
    setClass(item, 'asked', k === line && kind !== 'forward');
  });
}
