// Buttons, keys, nodes: each changes the state and shows it. The last of the scripts: it starts the page.

const KEYS = [
  ['← →', 'one contribution back, on'],
  ['Shift ← →', 'one node back, on'],
  ['Home End', 'to the start, to the end'],
  ['space', 'play, pause'],
  ['f b', 'to the start of the forward, of the backward pass'],
  ['g', 'go to a step by its number'],
  ['n', 'to the next contribution at a fork'],
  ['p', 'be asked before being shown'],
  ['t', 'to the table of all nodes'],
  ['l', 'to the line of code'],
  ['c', 'copy this step as text'],
  ['0 + −', 'size of the graph: fit, larger, smaller'],
  ['?', 'this list'],
  ['in the graph', 'arrow keys go along the arrows; Enter selects a node'],
];

function setOrder(order) {
  state.order = order;
  closeQuestion();
  const wasLast = state.moment === last();
  recompute();
  goTo(wasLast ? last() : state.moment);
}

function setPredicting(isOn) {
  state.predicting = isOn;
  byId('predict').setAttribute('aria-pressed', isOn);
  closeQuestion();
  recompute();
  show();
}

function setTheme() {
  const themes = ['auto', 'light', 'dark'];
  const { dataset } = document.documentElement;
  dataset.theme = themes[(themes.indexOf(dataset.theme || 'auto') + 1) % 3];
  setText(byId('theme'), `Theme: ${dataset.theme}`);
}

function select(i) {
  stop();
  state.selected = i;
  if (i !== null) state.focused = i;
  show();
}

function zoomBy(ratio) {
  state.zoom = ratio === null ? null : graph.scale * ratio;
  zoomTo(graph, state.zoom ?? fittingScale(graph, byId('stage')));
}

function goToFork() {
  const from = moments[state.moment].event;
  const next = run.events.findIndex(({ of }, k) => k > from && of > 1);
  if (next >= 0) goTo(momentOfEvent(next));
}

function goToLine() {
  const line = [...byId('code-lines').children].find((item) => item.matches('.made, .asked'));
  if (line) line.firstElementChild.focus();
}

function askForStep() {
  byId('goto').hidden = false;
  byId('goto-step').max = stepCount();
  byId('goto-step').focus();
}

function showKeys() {
  byId('help').showModal();
}

const KEY_ACTIONS = {
  ArrowRight: () => advance('contribution'),
  ArrowLeft: () => goTo(stopBefore(state.moment, 'contribution')),
  'Shift+ArrowRight': () => advance('node'),
  'Shift+ArrowLeft': () => goTo(stopBefore(state.moment, 'node')),
  Home: () => goTo(0),
  End: () => goTo(last()),
  f: () => goTo(0),
  b: () => goTo(seedMoment()),
  g: askForStep,
  n: goToFork,
  p: () => setPredicting(!state.predicting),
  t: () => byId('table').focus(),
  l: goToLine,
  c: copyStep,
  0: () => zoomBy(null),
  '+': () => zoomBy(1.25),
  '-': () => zoomBy(0.8),
  '?': showKeys,
  Escape: () => select(null),
};

// Within a control, its own keys are its own.
function isTaken(target, key) {
  if (target.closest('textarea, select, input:not([type=checkbox]), dialog')) return true;
  return key === ' ' && target.closest('button, summary, [role=button]') !== null;
}

function onKey(event) {
  const { key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !byId('keys-on').checked) return;
  if (key === 'Escape' && !byId('goto').hidden) {
    byId('next').focus();
    byId('goto').hidden = true;
  }
  if (event.defaultPrevented || isTaken(event.target, key)) return;
  const named = event.shiftKey && key.startsWith('Arrow') ? `Shift+${key}` : key;
  const action = key === ' ' ? togglePlay : KEY_ACTIONS[named];
  if (!action) return;
  event.preventDefault();
  if (key === ' ') action();
  else paused(action)();
}

function togglePlay() {
  if (state.playing) stop();
  else play();
  showTransport();
}

// In the graph, arrow keys go along the arrows, left to an operand and right to a consumer; up and down in the column.
function onNodeKey(event, i) {
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    select(i);
    return;
  }
  const next = {
    ArrowLeft: operandNodes(nodes[i])[0],
    ArrowRight: consumers[i][0],
    ArrowUp: neighbour(i, -1),
    ArrowDown: neighbour(i, 1),
  }[event.key];
  if (!event.key.startsWith('Arrow') || event.shiftKey) return;
  event.preventDefault();
  if (next === undefined) return;
  state.focused = next;
  graph.views.forEach(({ group }, k) => group.setAttribute('tabindex', k === next ? '0' : '-1'));
  graph.views[next].group.focus();
}

// The nearest node above (-1) or below (1) in the same column.
function neighbour(i, way) {
  const { box } = graph.views[i];
  const distance = (k) => (graph.views[k].box.y - box.y) * way;
  const isInColumn = (k) => Math.abs(graph.views[k].box.x - box.x) < box.width;
  const found = nodes.map((_, k) => k).filter((k) => distance(k) > 0 && isInColumn(k));
  return found.sort((one, other) => distance(one) - distance(other))[0];
}

function listenToControls() {
  byId('first').onclick = paused(() => goTo(0));
  byId('last').onclick = paused(() => goTo(last()));
  byId('previous').onclick = paused(() => goTo(stopBefore(state.moment, state.size)));
  byId('next').onclick = paused(() => (state.question ? goTo(momentOfEvent(state.question.index)) : advance()));
  byId('play').onclick = togglePlay;
  byId('scrubber').oninput = paused(() => goTo(Number(byId('scrubber').value)));
  byId('size').onchange = paused(() => {
    state.size = byId('size').value;
    show();
  });
  byId('speed').onchange = () => {
    state.speed = Number(byId('speed').value);
  };
  byId('order').onchange = paused(() => setOrder(byId('order').value));
  byId('predict').onclick = paused(() => setPredicting(!state.predicting));
  byId('theme').onclick = setTheme;
  byId('help-button').onclick = showKeys;
  byId('copy').onclick = copyStep;
  byId('deselect').onclick = () => select(null);
  byId('run-here').onclick = paused(() => goTo(momentToRun(state.selected)));
  byId('zoom-in').onclick = () => zoomBy(1.25);
  byId('zoom-out').onclick = () => zoomBy(0.8);
  byId('zoom-fit').onclick = () => zoomBy(null);
  byId('stage').addEventListener(
    'pointerdown',
    paused(() => {}),
  );
  byId('help-close').onclick = () => byId('help').close();
  whenEntered(byId('goto-step'), byId('goto-go'), () => {
    byId('next').focus(); // before the field is hidden: keys typed at once would still go there
    byId('goto').hidden = true;
    goTo(momentOfStep(byId('goto-step').value));
  });
}

function listenToNodes() {
  graph.views.forEach(({ group }, i) => {
    group.addEventListener('click', () => select(i));
    group.addEventListener('keydown', (event) => onNodeKey(event, i));
    byId('rows').rows[i].addEventListener('click', () => select(i));
  });
}

function listenToPage() {
  document.addEventListener('keydown', onKey);
  window.addEventListener(
    'hashchange',
    paused(() => {
      const step = stateFromAddress();
      recompute();
      goTo(momentOfStep(step));
    }),
  );
  window.addEventListener('resize', () => state.zoom === null && zoomBy(null));
  let moment = 0;
  window.addEventListener('afterprint', () => goTo(moment));
  window.addEventListener('beforeprint', () => {
    byId('all-steps').open = true;
    moment = state.moment;
    goTo(last());
    setText(
      byId('printed'),
      `${location.protocol === 'about:' ? '' : location.href} · ${new Date().toLocaleDateString()}`,
    );
  });
}

function fillCode() {
  byId('code').hidden = tape.code.length === 0;
  byId('code-lines').replaceChildren(
    ...tape.code.map(({ file, text }, k) => {
      const button = element(
        'button',
        { type: 'button' },
        element('span', { class: 'quiet' }, file),
        ' ',
        element('code', {}, text),
      );
      button.addEventListener(
        'click',
        paused(() => goTo(results.indexOf(nodes.findIndex(({ line }) => line === k)) + 1)),
      );
      return element('li', {}, button);
    }),
  );
}

function fillKeys() {
  byId('keys').replaceChildren(
    ...KEYS.flatMap(([key, told]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, told)]),
  );
}

function start() {
  document.documentElement.classList.add('live');
  byId('all-steps').open = false;
  fillCode();
  fillKeys();
  const step = stateFromAddress();
  recompute();
  state.moment = momentOfStep(step);
  if (refusal) refuseSliders();
  listenToControls();
  listenToNodes();
  listenToPage();
  zoomBy(null);
  show();
}

start();
// For lessons and tests: what the page computes with, to be looked at from the browser's console.
window.chalkgrad = {
  tape,
  recorded,
  recomputed,
  passed,
  ORDERS,
  disagreement,
  look: () => ({ state, numbers, run, moments }),
};
