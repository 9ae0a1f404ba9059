// The step as text to copy, and the state of the page in its address: #step=7&x=2.5

function stepText() {
  const parts = [...byId('lines').children, ...byId('beats').children].map((line) => line.textContent);
  return [`${positionText()}: ${byId('card-title').textContent}`, ...parts, addressOfState()].join('\n');
}

function addressOfState() {
  const { step, kind, nth, count } = moments[state.moment];
  const part = kind === 'seed' ? '.0' : kind === 'event' && nth < count ? `.${nth}` : '';
  const moved = nodes
    .map((_, i) => i)
    .filter((i) => !isResult(nodes[i]) && !Object.is(state.leaves[i], recordedNumbers.values[i]));
  return `#step=${step}${part}${moved.map((i) => `&${encodeURIComponent(names[i])}=${state.leaves[i]}`).join('')}`;
}

let remembering;

// The address follows, but not every frame: browsers limit how often.
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try {
      history.replaceState(null, '', addressOfState());
    } catch {
      // A frame in a notebook has no address of its own.
    }
  }, 400);
}

// Sets the leaves; returns the step.
function stateFromAddress() {
  let step = '0';
  state.leaves = recordedNumbers.values.slice();
  for (const [place, pair] of location.hash.slice(1).split('&').entries()) {
    const [key, text = ''] = pair.split('=').map(unescaped);
    const i = names.indexOf(key);
    if (place === 0 && key === 'step') step = text; // first; after it, step is a leaf of that name
    else if (i >= 0 && !isResult(nodes[i]) && !refusal && text !== '' && !Number.isNaN(Number(text)))
      state.leaves[i] = Number(text);
  }
  state.changed = state.leaves.some((value, k) => !Object.is(value, recordedNumbers.values[k]));
  return step;
}

function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// `7`: the end of step 7; `9.2`: its second contribution; `9.0`: before the first.
function momentOfStep(text) {
  const [step, part] = text.split('.').map(Number);
  const inStep = moments.map((_, i) => i).filter((i) => moments[i].step === step);
  if (!inStep.length) return step > 0 ? last() : 0;
  if (part === undefined) return inStep[inStep.length - 1];
  return inStep.find((i) => (moments[i].nth || 0) === part) ?? inStep[inStep.length - 1];
}

function copyStep() {
  const text = stepText();
  const fallback = () => {
    const area = byId('copied');
    area.value = text;
    area.hidden = false;
    area.select();
    say('Press Ctrl and C to copy the selected text');
  };
  // In a frame it is refused, with a complaint on the console if one asks all the same.
  const { featurePolicy } = document;
  const isRefused = !navigator.clipboard || (featurePolicy && !featurePolicy.allowsFeature('clipboard-write'));
  if (isRefused) fallback();
  else navigator.clipboard.writeText(text).then(() => say('Copied'), fallback);
}
