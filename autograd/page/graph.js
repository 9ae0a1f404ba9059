// The drawing: finds its parts, changes their texts and classes, adds the marks under nodes and the chips on arrows.
// Nothing is laid out again.

const SVG = 'http://www.w3.org/2000/svg';
const MOST_PIPS = 10;
const FARTHEST_CHIP = 90; // from the operand
const MOST_CHARACTERS = 10; // that a box has room for
const byId = (id) => document.getElementById(id);

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function setClass(element, name, isOn) {
  if (element.classList.contains(name) !== isOn) element.classList.toggle(name, isOn);
}

function svgElement(tag, attributes, parent) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function graphView(nodes) {
  const svg = byId('graph');
  const paper = svg.querySelector('.paper');
  const counts = consumerCounts(nodes);
  svg.setAttribute('role', 'group');
  const views = nodes.map((node, i) => nodeView(i, counts[i]));
  const arrows = new Map();
  for (const arrow of paper.querySelectorAll(':scope > path')) arrows.set(arrow.id, arrow);
  const chips = svgElement('g', { class: 'chips', 'aria-hidden': 'true' }, paper);
  return { svg, views, arrows, chips, lit: [], size: svg.viewBox.baseVal, scale: 1 };
}

function nodeView(i, count) {
  const group = byId(`n${i}`);
  const box = boxOf(group.querySelector('rect'));
  group.setAttribute('role', 'button');
  group.setAttribute('tabindex', '-1');
  return {
    group,
    box,
    title: svgElement('title', {}, group),
    value: group.querySelector('.value'),
    gradient: group.querySelector('.gradient'),
    pips: pipsUnder(group, box, count),
    count,
  };
}

// Read from the drawing, not measured: that works in a frame that is not shown yet.
function boxOf(rectangle) {
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((side) => Number(rectangle.getAttribute(side)));
  return { x, y, width, height };
}

// One circle for each consumer; beyond ten, a count.
function pipsUnder(group, box, count) {
  const y = box.y + box.height + 7;
  const middle = box.x + box.width / 2;
  if (count > MOST_PIPS) return [svgElement('text', { class: 'pip-count', x: middle, y: y + 4 }, group)];
  const start = middle - (count - 1) * 5.5;
  return Array.from({ length: count }, (_, k) =>
    svgElement('circle', { class: 'pip', r: 3.6, cx: start + 11 * k, cy: y }, group),
  );
}

function showPips({ pips, count }, heard) {
  if (count > MOST_PIPS) setText(pips[0], `${heard}/${count}`);
  else pips.forEach((pip, k) => setClass(pip, 'heard', k < heard));
}

// A number wider than its room is squeezed.
function showNumber(text, words) {
  if (text.textContent === words) return;
  text.textContent = words;
  if (words.length > MOST_CHARACTERS) {
    text.setAttribute('textLength', MOST_CHARACTERS * 8.2);
    text.setAttribute('lengthAdjust', 'spacingAndGlyphs');
  } else text.removeAttribute('textLength');
}

// What flows is seen by the width: from a ten-thousandth to a hundred; nothing is a thin dotted line.
const widthOf = (flow) => 1.5 + 5.5 * Math.min(1, Math.max(0, (Math.log10(Math.abs(flow)) + 4) / 6));

// Lights arrows: {id, kind: 'forward' | 'backward', text, flow}. Those lit before go out.
function lightArrows(graph, lights) {
  for (const arrow of graph.lit) {
    arrow.classList.remove('forward', 'backward', 'nothing');
    arrow.style.strokeWidth = '';
  }
  graph.chips.replaceChildren();
  graph.lit = lights
    .map(({ id, kind, text, flow }) => {
      const arrow = graph.arrows.get(id);
      if (!arrow) return null; // of an operand that is not drawn, since it was not given
      arrow.classList.add(kind);
      if (flow === 0) arrow.classList.add('nothing');
      else if (Number.isFinite(flow)) arrow.style.strokeWidth = widthOf(flow);
      if (kind === 'backward') pointToOperand(graph.chips, arrow);
      if (text) putChip(graph.chips, arrow, text);
      return arrow;
    })
    .filter(Boolean);
  setClass(graph.svg, 'busy', lights.length > 0);
}

const measures = new WeakMap();

// Where an arrow begins and has its chip. Measured once: each time, the browser would have to lay out the whole page.
function measured(path) {
  if (!measures.has(path)) {
    const length = path.getTotalLength();
    const [tip, tail, middle] = [0, 9, Math.min(length / 2, FARTHEST_CHIP)].map((at) => path.getPointAtLength(at));
    measures.set(path, { length, tip, tail, middle });
  }
  return measures.get(path);
}

function pointToOperand(chips, path) {
  const { tip, tail } = measured(path);
  const angle = (Math.atan2(tip.y - tail.y, tip.x - tail.x) * 180) / Math.PI;
  svgElement(
    'path',
    { class: 'point', d: 'M2,0L-12,-7L-12,7Z', transform: `translate(${tip.x} ${tip.y}) rotate(${angle})` },
    chips,
  );
}

function putChip(chips, path, text) {
  const { length, middle } = measured(path);
  const width = text.length * 6.7 + 10;
  const above = length < width + 36 ? 14 : 0; // a short arrow is not to be covered
  const chip = svgElement('g', { class: 'chip', transform: `translate(${middle.x} ${middle.y - above})` }, chips);
  svgElement('rect', { x: -width / 2, y: -9, width, height: 18, rx: 9 }, chip);
  svgElement('text', { y: 4 }, chip).textContent = text;
}

function zoomTo(graph, scale) {
  graph.scale = Math.min(3, Math.max(0.3, scale));
  graph.svg.setAttribute('width', graph.size.width * graph.scale);
  graph.svg.setAttribute('height', graph.size.height * graph.scale);
}

// As large as the stage allows, but never too small to read: then the stage scrolls.
function fittingScale(graph, stage) {
  const room = window.innerHeight * (window.innerWidth < 640 ? 0.4 : 0.56);
  const scale = Math.min((stage.clientWidth - 2) / graph.size.width, room / graph.size.height);
  return Math.min(1.7, Math.max(window.innerWidth < 640 ? 0.9 : 0.7, scale));
}

// Scrolls to where something happens: to all of these nodes, or if they are too far apart, to the last of them.
function bringIntoView(graph, stage, places) {
  if (!places.length || (stage.scrollWidth <= stage.clientWidth && stage.scrollHeight <= stage.clientHeight)) return;
  const all = around(graph, stage, places);
  const fits = all.right - all.left <= stage.clientWidth && all.bottom - all.top <= stage.clientHeight;
  const { left, right, top, bottom } = fits ? all : around(graph, stage, places.slice(-1));
  if (left >= 0 && top >= 0 && right <= stage.clientWidth && bottom <= stage.clientHeight) return;
  const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
  const x = stage.scrollLeft + (left + right - stage.clientWidth) / 2;
  const y = stage.scrollTop + (top + bottom - stage.clientHeight) / 2;
  stage.scrollTo({ left: x, top: y, behavior });
}

// The rectangle around nodes, as seen from the corner of the stage.
function around(graph, stage, places) {
  const outer = stage.getBoundingClientRect();
  const boxes = places.map((i) => graph.views[i].group.getBoundingClientRect());
  return {
    left: Math.min(...boxes.map((box) => box.left)) - outer.left,
    right: Math.max(...boxes.map((box) => box.right)) - outer.left,
    top: Math.min(...boxes.map((box) => box.top)) - outer.top,
    bottom: Math.max(...boxes.map((box) => box.bottom)) - outer.top,
  };
}
