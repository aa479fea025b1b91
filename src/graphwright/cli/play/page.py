"""The page: one document without outside resources. NONCE is exchanged for a fresh one each time that it is sent."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Graphwright</title>
<style nonce="NONCE">
:root { color-scheme: light; --ink: #1f2933; --grey: #5f6b78; --edge: #b8c4ce; --one: #e4572e; --two: #2e6fe4; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0.75rem; max-width: 64rem; font: 1rem/1.45 system-ui, sans-serif; color: var(--ink); }
h1 { font-size: 1.15rem; margin: 0 0 0.5rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr) 17rem; gap: 1rem; align-items: start; }
@media (max-width: 46rem) { main { grid-template-columns: minmax(0, 1fr); } }
svg { width: 100%; max-height: 78vh; display: block; }
svg line { stroke: var(--edge); stroke-width: 0.05; }
svg .free { fill: #fff; stroke: var(--grey); stroke-width: 0.04; }
svg .side0 { fill: var(--one); stroke: #8c2c10; stroke-width: 0.04; }
svg .side1 { fill: var(--two); stroke: #143f8c; stroke-width: 0.04; }
svg .marked { fill: #e6eaee; stroke: var(--grey); stroke-width: 0.04; }
svg .last { stroke-width: 0.13; }
svg [role=button] { cursor: pointer; }
svg [role=button]:focus { outline: none; }
svg [role=button]:hover .free, svg [role=button]:focus .free { fill: #ffe9a8; stroke-width: 0.1; }
svg text { font-size: 0.26px; text-anchor: middle; dominant-baseline: central; fill: var(--grey); }
svg .stone { fill: #fff; font-weight: bold; }
svg .share { font-size: 0.2px; fill: var(--ink); }
#status { min-height: 1.5em; font-weight: 600; margin: 0 0 0.5rem; }
#error { color: #a31515; min-height: 1.5em; margin: 0 0 0.5rem; }
fieldset { border: 1px solid var(--edge); border-radius: 0.4rem; margin: 0 0 0.75rem; padding: 0.5rem 0.75rem; }
button, select { font: inherit; padding: 0.4rem 0.7rem; min-height: 2.5rem; margin: 0.15rem 0.2rem 0.15rem 0;
  border: 1px solid var(--grey); border-radius: 0.4rem; background: #fff; color: inherit; }
button:focus-visible, select:focus-visible, input:focus-visible { outline: 3px solid #f0b429; outline-offset: 1px; }
button:disabled { color: #9aa5b1; border-color: var(--edge); }
label { display: block; padding: 0.25rem 0; }
#list { max-height: 14rem; overflow: auto; }
meter { width: 100%; }
</style>
<h1 id="title">Graphwright</h1>
<p id="status" role="status" aria-live="polite">Loading the board.</p>
<p id="error" role="alert"></p>
<main>
<div id="board"></div>
<div>
<fieldset><legend>Game</legend>
<label>You play
<select id="you"><option value="0">the first side</option><option value="1">the second side</option>
<option value="both">both sides</option><option value="none">neither: watch</option></select></label>
<button id="back">Step back</button><button id="new">New game</button>
<button id="save">Save</button><button id="load">Load</button>
<input id="file" type="file" accept=".json,application/json" hidden>
</fieldset>
<fieldset><legend>What the policy thinks</legend>
<label><input id="opinion" type="checkbox"> show probabilities and value</label>
<div id="value"></div>
</fieldset>
<fieldset><legend>Legal moves</legend><div id="list"></div></fieldset>
</div>
</main>
<script nonce="NONCE">
"use strict";
const $ = id => document.getElementById(id);
const SHAPES = "http://www.w3.org/2000/svg";
const KEY = "graphwright " + location.pathname;
let game = {moves: [], you: "0", opinion: false}, board = null, turn = 0;
try { Object.assign(game, JSON.parse(localStorage.getItem(KEY)) || {}); } catch (_) {}
const remember = () => { try { localStorage.setItem(KEY, JSON.stringify(game)); } catch (_) {} };
const sideName = side => side === 0 ? "first side (red, X)" : "second side (blue, O)";
const isYours = side => game.you === "both" || game.you === String(side);

async function ask(what, request) {
  let answer, body;
  try {
    answer = await fetch(what, {method: "POST", body: JSON.stringify({...request, opinion: game.opinion})});
    body = await answer.json();
  } catch (_) { throw new Error("The server does not answer. Is `graphwright play` still running? The game is kept."); }
  if (!answer.ok) throw new Error(body.error);
  return body;
}
async function go(moves, more) {
  const mine = ++turn;
  $("error").textContent = "";
  try {
    const found = await ask("position", {...more, moves});
    if (mine !== turn) return;
    show(found);
    while (!board.over && !isYours(board.side)) {
      $("status").textContent = "The policy is thinking.";
      const next = await ask("reply", {moves: board.moves});
      if (mine !== turn) return;
      show(next);
      if (game.you === "none") await new Promise(done => setTimeout(done, 600));
      if (mine !== turn) return;
    }
  } catch (error) {
    if (mine !== turn) return;
    $("error").textContent = error.message;
    if (board) say();
  }
}
function say() {
  let text;
  if (board.over) text = board.outcome === 0 ? "The game is a draw."
    : "The " + sideName(board.outcome > 0 ? 0 : 1) + " has won.";
  else text = (isYours(board.side) ? "Your move: the " : "To move: the ") + sideName(board.side) + ".";
  $("status").textContent = text + " " + board.moves.length + " moves made.";
}
function part(kind, attributes, text) {
  const element = document.createElementNS(SHAPES, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
function show(found) {
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : null;
  board = found;
  game.moves = found.moves;
  remember();
  $("title").textContent = "Graphwright: " + found.problem + ", size " + found.size;
  $("back").disabled = !found.moves.length;
  draw();
  say();
  const again = focused && document.querySelector(`[data-key="${CSS.escape(focused)}"]`);
  if (again) again.focus();
}
function draw() {
  const xs = board.nodes.map(n => n.x), ys = board.nodes.map(n => n.y);
  const width = Math.max(0, ...xs) + 1.2, height = Math.max(0, ...ys) + 1.2;
  const svg = part("svg", {viewBox: `-0.6 -0.6 ${width} ${height}`, role: "group", "aria-label": "Board"});
  for (const [u, v] of board.links) svg.append(part("line",
    {x1: xs[u], y1: ys[u], x2: xs[v], y2: ys[v], "aria-hidden": "true"}));
  const yours = !board.over && isYours(board.side);
  const moveAt = new Map(board.legal.filter(m => m.node !== null).map(m => [m.node, m]));
  board.nodes.forEach((node, place) => {
    const move = moveAt.get(place), what = node.owner >= 0 ? sideName(node.owner) : node.marks || "free";
    const share = move && move.probability !== undefined ? ", " + percent(move.probability) : "";
    const group = part("g", {"aria-label": `${node.name}: ${what}${share}`, role: move && yours ? "button" : "img"});
    group.dataset.key = "node " + place;
    const kind = node.owner >= 0 ? "side" + node.owner : node.marks && !move ? "marked" : "free";
    group.append(part("circle", {cx: node.x, cy: node.y, r: 0.36, class: kind}));
    if (move && move.probability !== undefined)
      group.append(part("circle", {cx: node.x, cy: node.y, r: 0.34 * Math.sqrt(move.probability),
        fill: "#f0b429", "fill-opacity": 0.55, "pointer-events": "none"}));
    group.append(part("text", {x: node.x, y: node.y, class: node.owner >= 0 ? "stone" : ""},
      node.owner === 0 ? "X" : node.owner === 1 ? "O" : node.name));
    if (move && move.probability >= 0.005)
      group.append(part("text", {x: node.x, y: node.y + 0.24, class: "share"}, percent(move.probability)));
    if (move && yours) enable(group, move.action, true);
    svg.append(group);
  });
  $("board").replaceChildren(svg);
  const list = board.legal.map(move => {
    const button = document.createElement("button");
    button.textContent = move.name + (move.probability !== undefined ? " " + percent(move.probability) : "");
    button.dataset.key = "move " + move.action;
    button.disabled = !yours;
    button.onclick = () => go([...board.moves, move.action]);
    return button;
  });
  $("list").replaceChildren(...list);
  if (board.value !== undefined) {
    $("value").textContent = `Value for the ${sideName(board.side)}: ${board.value.toFixed(2)} (−1 lost, 1 won)`;
  } else $("value").textContent = "";
}
function enable(group, action, focusable) {
  if (focusable) group.setAttribute("tabindex", "0");
  group.addEventListener("click", () => go([...board.moves, action]));
  group.addEventListener("keydown", event => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go([...board.moves, action]); }
    else if (event.key.startsWith("Arrow")) { event.preventDefault(); step(group, event.key); }
  });
}
function step(group, key) {
  const here = board.nodes[Number(group.dataset.key.slice(5))];
  const [dx, dy] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[key];
  let best = null, least = Infinity;
  for (const other of document.querySelectorAll("#board [role=button]")) {
    const node = board.nodes[Number(other.dataset.key.slice(5))];
    const x = node.x - here.x, y = node.y - here.y, ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (ahead > 0.01 && ahead + 2 * aside < least) { least = ahead + 2 * aside; best = other; }
  }
  if (best) best.focus();
}
const percent = share => (100 * share).toFixed(0) + "%";
$("you").value = game.you;
$("opinion").checked = game.opinion;
$("you").onchange = () => { game.you = $("you").value; remember(); go(game.moves); };
$("opinion").onchange = () => { game.opinion = $("opinion").checked; remember(); go(game.moves); };
$("new").onclick = () => go([]);
$("back").onclick = () => {  // to your own last move, or one move where you play both sides or none
  const count = game.moves.length, alone = game.you === "0" || game.you === "1";
  let left = count - 1;
  if (alone && !board.over && isYours(board.side)) left = count - 2;
  else if (alone && board.over && left % 2 !== Number(game.you)) left = count - 2;
  if (game.you === "none") { game.you = "both"; $("you").value = "both"; }
  go(game.moves.slice(0, Math.max(left, 0)));
};
$("save").onclick = () => {
  const {problem, size, seed, moves} = board;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({problem, size, seed, moves})], {type: "application/json"}));
  link.download = `${problem}-${size}.json`.replace(/[^a-z0-9.-]+/gi, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
$("load").onclick = () => $("file").click();
$("file").onchange = async () => {
  const file = $("file").files[0];
  $("file").value = "";
  if (!file) return;
  let saved;
  try { saved = JSON.parse(await file.text()); } catch (_) { saved = null; }
  if (!saved || !Array.isArray(saved.moves)) {
    $("error").textContent = file.name + ": is no saved game; it may be cut off";
  } else { const {problem, size, seed, moves} = saved; go(moves, {problem, size, seed}); }
};
go(game.moves);
</script>
</html>
"""
