// The sliders: one row for each leaf, with a number box, a nudge and a reset.
//   leavesView(byId('leaves'), tape.nodes, values, {moved(i, x) {...}, nudged(i) {return '...'}, ...})

const SLIDER_STEPS = 100;

function leavesView(place, nodes, values, handlers) {
  const rows = new Map();
  const widest = Math.max(...nodes.map((node) => (isResult(node) ? 0 : node.name.length)));
  place.style.setProperty('--name-width', `${Math.min(11, Math.max(2, widest + 1))}ch`);
  nodes.forEach((node, i) => {
    if (!isResult(node)) rows.set(i, leafRow(place, node.name, i, values[i], handlers));
  });
  return rows;
}

function leafRow(place, name, i, value, { moved, nudged }) {
  const reach = Math.max(1, 2 * Math.abs(value));
  const number = element('input', { type: 'number', step: 'any', 'aria-label': `${name}, number` });
  const range = element('input', {
    type: 'range',
    id: `leaf${i}`,
    min: value - reach,
    max: value + reach,
    step: reach / SLIDER_STEPS,
    'aria-label': name,
  });
  const nudge = element('button', { type: 'button', class: 'small', title: `Add 0.001 to ${name}` }, 'Nudge');
  const reset = element(
    'button',
    { type: 'button', class: 'small', title: `Back to ${six(value)}`, disabled: '' },
    'Reset',
  );
  const told = element('output', { class: 'nudge' });
  const label = element('label', { for: `leaf${i}` }, element('bdi', { class: 'name' }, name));
  place.append(element('div', { class: 'leaf' }, label, range, number, nudge, reset, told));
  range.addEventListener('input', () => moved(i, Number(range.value)));
  number.addEventListener('input', () => number.value !== '' && moved(i, Number(number.value)));
  reset.addEventListener('click', () => moved(i, value));
  nudge.addEventListener('click', () => setText(told, nudged(i)));
  const row = { range, number, nudge, reset, told, recorded: value };
  showLeaf(row, value);
  return row;
}

function showLeaf(row, value) {
  if (Number(row.range.value) !== value) row.range.value = value;
  if (row.number !== document.activeElement || Number(row.number.value) !== value) {
    row.number.value = Number.isFinite(value) ? Number(value.toPrecision(6)) : '';
  }
  row.range.setAttribute('aria-valuetext', six(value));
  row.reset.disabled = Object.is(value, row.recorded);
}

function disableLeaves(rows) {
  for (const { range, number, nudge } of rows.values())
    for (const control of [range, number, nudge]) control.disabled = true;
}
