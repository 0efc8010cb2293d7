// Plays recorded episodes on a canvas. An episode is its first grid and, for each step, the cells that changed.
"use strict";

const SPRITE = 16;
const TRAIL = "#7a1fa2";

function viewer(root) {
  const { atlas, piles, replays } = JSON.parse(root.querySelector("script").textContent);
  const canvas = root.querySelector("canvas");
  const context = canvas.getContext("2d");
  const now = root.querySelector(".now");
  const slider = root.querySelector("input");
  const marks = root.querySelector(".marks");
  const play = root.querySelector("[data-do=play]");
  const speed = root.querySelector("select");
  const entries = [...root.querySelectorAll("[data-replay]")];
  const stage = root.querySelector(".stage");
  const sprites = new Image();
  let replay, grids, step, playing = false, due = 0;

  function choose(index) {
    replay = replays[index];
    const grid = [...replay.grid];
    grids = [grid];
    for (const changes of replay.steps) {
      const next = [...grids[grids.length - 1]];
      for (let k = 0; k < changes.length; k += 2) next[changes[k]] = changes[k + 1];
      grids.push(next);
    }
    entries.forEach((entry, k) => entry.setAttribute("aria-current", k === index));
    slider.max = grids.length - 1;
    marks.replaceChildren(...replay.events.map(([at, names]) => {
      const mark = document.createElement("i");
      mark.style.left = `${(100 * at) / Math.max(1, grids.length - 1)}%`;
      mark.title = `step ${at}: ${names.join(", ")}`;
      return mark;
    }));
    canvas.setAttribute("aria-label", replay.title);
    show(0);
  }

  function show(to) {
    step = Math.max(0, Math.min(to, grids.length - 1));
    slider.value = step;
    draw();
    const happened = replay.events.find(([at]) => at === step);
    const values = replay.status.filter(([at]) => at <= step).pop();
    const parts = [`Step ${step} of ${grids.length - 1}`];
    if (values) parts.push(values[1]);
    if (happened) parts.push(happened[1].join(", "));
    else if (step === grids.length - 1) parts.push("the end");
    now.textContent = parts.join(" · ");
    slider.setAttribute("aria-valuetext", now.textContent);
  }

  function draw() {
    const { height, width } = replay;
    const cell = SPRITE * Math.ceil((canvas.clientWidth * window.devicePixelRatio) / (width * SPRITE));
    canvas.width = width * cell;
    canvas.height = height * cell;
    context.imageSmoothingEnabled = false;
    const put = (place, x, y) => context.drawImage(sprites, place * SPRITE, 0, SPRITE, SPRITE, x * cell, y * cell, cell, cell);
    const each = (visit) => grids[step].forEach((bits, at) => visit(bits, at % width, Math.floor(at / width)));
    each((bits, x, y) => put((x + y) % 2, x, y));
    trail(cell);
    each((bits, x, y) => { for (const place of piles[bits]) put(place, x, y); });
    write(cell);
  }

  function write(cell) {
    const written = (replay.numbers || []).filter(([at]) => at <= step).pop();
    if (!written) return;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = cell / 8;
    context.strokeStyle = "#23263a";
    context.fillStyle = "#ffffff";
    for (const [at, text] of written[1]) {
      context.font = `bold ${cell / Math.max(2, text.length)}px monospace`;
      const middle = [((at % replay.width) + 0.5) * cell, (Math.floor(at / replay.width) + 0.5) * cell];
      context.strokeText(text, ...middle);
      context.fillText(text, ...middle);
    }
  }

  function trail(cell) {
    const middle = (at) => [((at % replay.width) + 0.5) * cell, (Math.floor(at / replay.width) + 0.5) * cell];
    context.lineWidth = cell / 8;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = TRAIL;
    for (let k = 1; k <= step; k++) {
      context.globalAlpha = 0.15 + 0.6 * (k / step);
      context.beginPath();
      context.moveTo(...middle(replay.path[k - 1]));
      context.lineTo(...middle(replay.path[k]));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  function run(on) {
    if (on && step === grids.length - 1) show(0);
    playing = on;
    play.textContent = on ? "Pause" : "Play";
    now.setAttribute("aria-live", on ? "off" : "polite");
    due = 0;
    if (on) requestAnimationFrame(tick);
  }

  function tick(time) {
    if (!playing) return;
    due = due || time + 1000 / speed.value;
    if (time >= due) {
      due = time + 1000 / speed.value;
      show(step + 1);
      if (step === grids.length - 1) return run(false);
    }
    requestAnimationFrame(tick);
  }

  function pick(index) {
    run(false);
    choose((index + replays.length) % replays.length);
  }

  function move(to) {
    run(false);
    show(to);
  }

  root.querySelector("[data-do=back]").onclick = () => move(step - 1);
  root.querySelector("[data-do=forward]").onclick = () => move(step + 1);
  play.onclick = () => run(!playing);
  slider.oninput = () => move(Number(slider.value));
  entries.forEach((entry, index) => { entry.onclick = () => { pick(index); stage.scrollIntoView({ block: "nearest" }); run(true); }; });
  canvas.onclick = () => run(!playing);
  canvas.onkeydown = (event) => {
    const chosen = replays.indexOf(replay);
    const actions = {
      " ": () => run(!playing),
      ArrowLeft: () => move(step - 1),
      ArrowRight: () => move(step + 1),
      Home: () => move(0),
      End: () => move(grids.length - 1),
      ArrowUp: () => pick(chosen - 1),
      ArrowDown: () => pick(chosen + 1),
    };
    if (event.ctrlKey || event.altKey || event.metaKey || !actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  };
  sprites.onload = () => choose(0);
  sprites.src = atlas;
}

// On paper nothing can be opened.
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const one of closed) one.open = true;
});
window.addEventListener("afterprint", () => { for (const one of closed) one.open = false; });

document.querySelectorAll("[data-viewer]").forEach(viewer);
