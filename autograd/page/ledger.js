// The ledger of a node: what has arrived and from whom, who has still to report, and what is lost by speaking early.

function ledgerNode() {
  if (state.selected !== null) return state.selected;
  if (state.question) return state.question.event.to;
  const events = eventsShown();
  if (events.length) return events[events.length - 1].to;
  return moments[state.moment].node ?? null;
}

function showLedger(now) {
  const i = ledgerNode();
  setText(byId('ledger-title'), i === null ? 'Ledger' : `Ledger of ${names[i]}`);
  byId('deselect').hidden = state.selected === null;
  byId('run-here').hidden = i === null || i !== state.selected;
  byId('ledger').querySelector('table').hidden = i === null || i === root;
  if (i === null) {
    setText(
      byId('ledger-note'),
      'Each node adds up what its consumers report to it: their adjoint times the local derivative.',
    );
    setText(byId('ledger-foot'), '');
    return;
  }
  setText(byId('run-here'), momentToRun(i) <= results.length ? 'Run to its value' : 'Run to its gradient');
  setText(byId('ledger-note'), ledgerNote(now, i));
  showArrivals(now, i);
}

function ledgerNote(now, i) {
  const made = isResult(nodes[i]) ? `${names[i]} = ${inNames(nodes[i], names)}` : `${names[i]} is a leaf`;
  const value = now.isKnown[i] ? `, value ${six(numbers.values[i])}` : ', not computed yet';
  return `${made}${value}.${i === root ? ' It is the result: its gradient is 1, the seed.' : ''}`;
}

function showArrivals(now, i) {
  const arrived = run.events
    .slice(0, moments[state.moment].event + 1)
    .filter(({ to }) => to === i)
    .slice(-12);
  const contributions = alignedNumbers(arrived.map(({ contribution }) => contribution));
  const totals = alignedNumbers(arrived.map(({ after }) => after));
  const shown = new Set(eventsShown());
  const lines = arrived.map((event, k) => {
    const row = tableRow(
      names[event.from],
      `${six(event.upstream)} × ${factor(event.local)}`,
      contributions[k],
      totals[k],
    );
    setClass(row, 'fresh', shown.has(event));
    return row;
  });
  const pending = pendingOf(i, moments[state.moment].event);
  for (const from of pending.slice(0, 8)) {
    const row = tableRow(names[from], 'still to report', '', '');
    row.classList.add('pending');
    lines.push(row);
  }
  byId('ledger-rows').replaceChildren(...lines);
  setText(
    byId('ledger-foot'),
    i === root || now.grads[i] === undefined ? '' : `${waiting(i, now.heard[i])}.${warning(now, i, pending)}`,
  );
}

function tableRow(head, ...cells) {
  const row = element('tr', {}, element('th', { scope: 'row' }, head));
  for (const text of cells) row.append(element('td', { class: 'number' }, text));
  return row;
}

// What would be lost if a node spoke before it is complete.
function warning(now, i, pending) {
  if (!pending.length || !isResult(nodes[i]) || state.selected !== i || state.order !== 'correct' || state.predicting)
    return '';
  const operands = listed([...new Set(operandNodes(nodes[i]))].map((x) => names[x]));
  const lost = `${six(now.grads[i])} instead of ${six(truth[i])}`;
  return ` If it spoke now, it would hand on ${lost}: the rest would never reach ${operands}.`;
}

// To its value while it has none, else to where its gradient is complete.
function momentToRun(i) {
  const computedAt = isResult(nodes[i]) ? results.indexOf(i) + 1 : 0;
  if (state.moment < computedAt) return computedAt;
  const arrival = run.events.findLastIndex(({ to }) => to === i);
  return arrival < 0 ? seedMoment() : momentOfEvent(arrival);
}
