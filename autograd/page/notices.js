// What is out of the ordinary: a wrong order, numbers that break down, sliders that are off.

const ORDER_TOLD = {
  breadthFirst:
    'Breadth-first: each node speaks when the walk reaches its level, even if not all its consumers have reported.',
  visitOnce:
    'Visit once: each node speaks when the walk first reaches it, even if not all its consumers have reported.',
  revisit: 'Revisit: a node speaks again each time that it hears something, and repeats what it had passed on before.',
};

function showNotices() {
  const wrong = state.order !== 'correct';
  byId('wrong').hidden = !wrong;
  setClass(document.documentElement, 'is-wrong', wrong);
  if (wrong) setText(byId('wrong').firstElementChild, wrongText());
  if (!refusal) showBroken(state.changed ? firstBroken(nodes, numbers) : null);
}

function wrongText() {
  const leaves = nodes.map((_, i) => i).filter((i) => !isResult(nodes[i]) && consumers[i].length);
  const differing = leaves.filter((i) => !isSame(run.adjoints[i], truth[i], 0));
  const list = differing
    .slice(0, 4)
    .map((i) => `${names[i]}.grad ends at ${six(run.adjoints[i])}, right is ${six(truth[i])}`);
  const end = differing.length
    ? `${list.join('; ')}${differing.length > 4 ? `; ${differing.length - 4} more are wrong` : ''}.`
    : 'On this graph it happens to be right.';
  const stopped =
    run.stopped || run.events.length >= MOST_EVENTS ? ` It was stopped after ${MOST_EVENTS} contributions.` : '';
  return `Wrong on purpose. ${ORDER_TOLD[state.order]} ${end}${stopped}`;
}

function showBroken(broken) {
  byId('notice').hidden = !broken;
  if (!broken) return;
  const { node, what } = broken;
  const numbersThere = inNumbers(nodes[node], numbers.values);
  const is = what === 'value' ? `it is ${six(numbers.values[node])}` : 'its local derivative is not finite';
  notice(
    `The first number that breaks down is ${names[node]} = ${inNames(nodes[node], names)} = ${numbersThere}: ${is}.`,
    node,
  );
}

function notice(text, node) {
  byId('notice').hidden = false;
  setText(byId('notice').firstElementChild, text);
  const button = byId('notice').lastElementChild;
  button.hidden = node === undefined;
  setText(button, node === undefined ? '' : `Go to ${names[node]}`);
  button.onclick = paused(() => {
    state.selected = node;
    goTo(results.indexOf(node) + 1);
  });
}

function refuseSliders() {
  disableLeaves(rows);
  const { node, unknown } = refusal;
  const why = unknown
    ? `this page cannot compute ${nodes[node].op}`
    : `this browser computes another number for ${names[node]} than was recorded`;
  notice(`The sliders are off: ${why}. The recorded steps can be played all the same.`);
}
