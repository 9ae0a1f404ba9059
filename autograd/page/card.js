// The card: what the step shown is, in the words of the REPL, and the question when one is asked.

function showCard(now) {
  const moment = moments[state.moment];
  const card = state.question
    ? questionCard()
    : { start: startCard, forward: forwardCard, seed: seedCard, event: eventCard }[moment.kind](moment, now);
  setText(byId('phase'), moment.kind === 'forward' || moment.kind === 'start' ? 'forward' : 'backward');
  byId('phase').dataset.phase = byId('phase').textContent;
  setText(byId('where'), positionText());
  setText(byId('card-title'), card.title);
  byId('lines').replaceChildren(...card.lines.map((parts) => element('p', { class: 'line' }, ...lineParts(parts))));
  byId('beats').replaceChildren(...(card.beats || []).map(beat));
  byId('question').hidden = !state.question;
  setClass(byId('card'), 'asking', state.question !== null);
  byId('reply').hidden = !state.reply;
  setText(byId('reply'), state.reply);
  byId('copied').hidden = true;
  if (card.said) say(card.said);
}

const lineParts = (parts) =>
  parts.flatMap((part, k) => (k ? [' ', element('span', {}, part)] : [element('span', {}, part)]));

function beat(parts) {
  return element(
    'li',
    {},
    ...parts.map((part) => (typeof part === 'string' ? part : element('b', { class: part.kind }, part.text))),
  );
}

function say(words) {
  setText(byId('said'), words);
}

function startCard() {
  const leaves = nodes.length - results.length;
  const made = results.length === 1 ? '1 node is' : `${results.length} nodes are`;
  return {
    title: 'Only the leaves have numbers',
    lines: [],
    beats: [
      [`Forward: ${made} computed from ${leaves === 1 ? '1 leaf' : `${leaves} leaves`}, operands before results.`],
      ['Backward: the other way round, each node hands its gradient to its operands, times the local derivative.'],
      ['A node speaks only when all its consumers have reported to it.'],
    ],
  };
}

function forwardCard({ node, step }) {
  if (state.size === 'pass' && step === results.length)
    return passCard('forward', [[`${names[root]} = ${six(numbers.values[root])}`]]);
  const parts = computedParts(nodes[node], names, numbers.values, numbers.values[node]);
  const end = step === results.length ? ' That is the result: the forward pass is done.' : '';
  return {
    title: `Compute ${names[node]}`,
    lines: [parts],
    beats: end ? [[end.trim()]] : [],
    said: `${names[node]} = ${six(numbers.values[node])}.${end}`,
  };
}

function seedCard() {
  const name = names[root];
  return {
    title: `${name} begins`,
    lines: [[`${name}.grad = 1`, `the seed: ${slope(name, name)}`]],
    beats: [
      [`${name} is the result: if it changes by 1, it changes by 1.`],
      [`All others ask: by how much does ${name} change per unit of me?`],
    ],
    said: `${name}.grad = 1, the seed`,
  };
}

function eventCard(moment, now) {
  if (state.size === 'pass' && state.moment === last()) return passCard('backward', gradientsOfLeaves());
  const events = eventsShown();
  const lines = events.map((event) => chainRuleParts(names, event));
  if (events.length > 1) return nodeCard(moment, events, lines, now);
  const [event] = events;
  const told = arrivalText(event, moment.event);
  return { title: `${names[event.from]} tells ${names[event.to]}`, lines, beats: beatsOf(event, told), said: told };
}

function passCard(phase, lines) {
  const title = `The ${phase} pass is done`;
  return { title, lines: lines.slice(0, 8), said: title };
}

function gradientsOfLeaves() {
  const leaves = nodes.map((_, i) => i).filter((i) => !isResult(nodes[i]));
  return leaves.map((i) => [`${names[i]}.grad = ${six(run.adjoints[i])}`]);
}

function nodeCard({ node }, events, lines, now) {
  const told = [...new Set(events.map(({ to }) => to))].map((to) => waiting(to, now.heard[to]));
  return {
    title: `${names[node]} hands on its gradient ${six(events[0].upstream)}`,
    lines: lines.slice(0, 8),
    beats: [
      ...told.slice(0, 8).map((text) => [`${text}.`]),
      ...(events.length > 8 ? [[`and ${events.length - 8} more contributions.`]] : []),
    ],
    said: listed(told),
  };
}

// Who speaks, the local derivative, their product, what it adds up to.
function beatsOf(event, told) {
  const { from, to, slot, local, upstream, contribution, before, after } = event;
  const node = nodes[from];
  const uses = node.in.flatMap((x, k) => (x === to ? [k] : []));
  const symbol = slope(names[from], names[to]) + (uses.length > 1 ? `[${uses.indexOf(slot) + 1}]` : '');
  const written = node.rule[slot];
  const rule = minus(written) === six(local) ? '' : ` = ${written}`;
  const isDone = state.order === 'correct' ? 'is complete' : 'speaks';
  const grad = (text) => ({ kind: 'gradient', text });
  return [
    [`${names[from]} ${isDone}: `, grad(`${names[from]}.grad = ${six(upstream)}`)],
    [
      'Its local derivative: ',
      { kind: 'value', text: `${symbol}${rule} = ${six(local)}` },
      ` — ${tape.ops[node.op][1]}.`,
    ],
    [
      `Multiply: ${six(upstream)} × ${factor(local)} ${equals(contribution, 6, upstream, local)} `,
      grad(six(contribution)),
    ],
    [`Add: ${names[to]} had ${six(before)} and now has `, grad(six(after)), `. ${told}.`],
  ];
}

function pendingOf(to, upTo) {
  const done = new Map();
  for (const event of run.events.slice(0, upTo + 1))
    if (event.to === to) done.set(event.from, (done.get(event.from) || 0) + 1);
  return consumers[to].filter((from) => {
    const count = done.get(from) || 0;
    if (count) done.set(from, count - 1);
    return !count;
  });
}

function waiting(to, heard) {
  return waitingText(
    names[to],
    heard,
    consumers[to].length,
    pendingOf(to, moments[state.moment].event).map((i) => names[i]),
    state.order === 'correct',
  );
}

function arrivalText({ to, of, left }) {
  return waiting(to, of - left);
}

function questionCard() {
  const { event, asksTotal, index } = state.question;
  const { from, to, slot, upstream, before } = event;
  const node = nodes[from];
  const wanted = asksTotal ? `${names[to]}.grad` : `the contribution of ${names[from]} to ${names[to]}`;
  state.question.form ??= questionForm(wanted, index);
  if (byId('question').firstChild !== state.question.form) {
    byId('question').replaceChildren(
      state.question.form,
      element('p', { id: 'answer-note', class: 'quiet', role: 'status' }),
    );
  }
  const had = asksTotal ? [[`${names[to]}.grad so far: ${six(before)}`]] : [];
  return {
    title: asksTotal ? `What is ${names[to]}.grad after this?` : `What does ${names[from]} contribute to ${names[to]}?`,
    lines: [],
    beats: [
      [computedParts(node, names, numbers.values, numbers.values[from]).join(' ')],
      [`${names[from]}.grad = ${six(upstream)}`],
      ...had,
      [`Wanted: ${wanted}${node.in.filter((x) => x === to).length > 1 ? `, as operand ${slot + 1}` : ''}`],
    ],
    said: `Predict ${wanted}`,
  };
}

function questionForm(wanted, index) {
  const input = element('input', {
    id: 'answer',
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    'aria-label': wanted,
  });
  const show = element('button', { type: 'button' }, 'Show me');
  const check = element('button', { type: 'button', class: 'primary' }, 'Check');
  show.addEventListener('click', () => goTo(momentOfEvent(index)));
  whenEntered(input, check, () => answer(input.value));
  return element('div', { class: 'ask' }, input, check, show);
}

// What a form would do; but a notebook shows the page in a frame that submits none.
function whenEntered(input, button, act) {
  button.addEventListener('click', act);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    act();
  });
}
