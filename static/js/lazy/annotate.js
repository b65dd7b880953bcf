// Drawing on a picture: pen, arrow, box, text and numbered notes, with mouse, finger, pen or keys.
// The words stand in the page (templates/attachments/annotate.html), so that they are translated.
// One canvas holds the picture with all that is done, one above it what is being done.

const LONGEST_SIDE = 4096, COLUMNS = 24, ROWS = 16, STEPS = [1, 1.5, 2, 3, 4, 6];
const PLACED = ["text", "note"]; // done with one point

export async function open(place, opener) {
  if (opener.disabled) return;
  opener.disabled = true;
  await prepare(place, opener).finally(() => (opener.disabled = false));
}

async function prepare(place, opener) {
  const dialog = place.querySelector("template").content.firstElementChild.cloneNode(true);
  const says = place.querySelector("[data-annotate-says]");
  const picture = new Image();
  picture.src = place.dataset.source;
  const refusal = await refusalOf(picture, dialog.dataset);
  says.hidden = !refusal;
  says.textContent = refusal || "";
  if (!refusal) start(place, dialog, picture, opener);
}

// Not by `decode()`, which waits for the browser to paint something.
function refusalOf(picture, { large, unread }) {
  return new Promise((done) => {
    picture.onload = () => done(Math.max(picture.naturalWidth, picture.naturalHeight) > LONGEST_SIDE && large);
    picture.onerror = () => done(unread);
  });
}

function start(place, dialog, picture, opener) {
  const find = (selector) => dialog.querySelector(selector);
  const [paper, glass] = dialog.querySelectorAll("canvas");
  const [below, above] = [paper.getContext("2d"), glass.getContext("2d")];
  const width = picture.naturalWidth, height = picture.naturalHeight;
  const unit = Math.max(2, Math.max(width, height) / 400);
  const stage = find(".draw-stage"), words = find(".draw-words input"), ask = find(".draw-ask");
  const cursor = { column: COLUMNS / 2, row: ROWS / 2, shown: false };
  let tool = "pen", color = "#d92d20", done = [], undone = [], shape = null, zoom = 0, frame = 0;
  for (const canvas of [paper, glass]) [canvas.width, canvas.height] = [width, height];

  const say = (text) => (find("[data-says]").textContent = text);
  const press = (selector, chosen) => {
    for (const each of dialog.querySelectorAll(selector)) each.setAttribute("aria-pressed", each === chosen);
  };

  // A button that was disabled would lose the focus.
  const dim = (act, off) => find(`[data-act=${act}]`).setAttribute("aria-disabled", off);
  const perform = (act) => find(`[data-act=${act}]`).ariaDisabled !== "true" && ACTS[act]();

  // Painting

  function paintShape(context, { tool, color, size, points, text, number }) {
    const [first, last] = [points[0], points.at(-1)];
    Object.assign(context, { strokeStyle: color, fillStyle: color, lineWidth: size, lineCap: "round", lineJoin: "round" });
    if (tool === "pen") return points.forEach((_, index) => paintPart(context, points, index, size));
    if (tool === "box") return context.strokeRect(first.x, first.y, last.x - first.x, last.y - first.y);
    if (tool === "arrow") return paintArrow(context, first, last, size);
    const letters = unit * 6 + size * 2;
    let x = first.x;
    context.font = `600 ${letters}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    if (tool === "note") {
      context.beginPath();
      context.arc(x, first.y, letters * 0.8, 0, 7);
      context.fill();
      context.textAlign = "center";
      context.fillStyle = against(color);
      context.fillText(number, x, first.y);
      context.fillStyle = color;
      x += letters;
    }
    // Words that would run out of the picture stand on the other side of their point.
    const turned = x + context.measureText(text).width > width && first.x > width / 2;
    context.textAlign = turned ? "right" : "left";
    if (turned) x = 2 * first.x - x;
    Object.assign(context, { strokeStyle: against(color), lineWidth: letters / 5 });
    context.strokeText(text, x, first.y);
    context.fillText(text, x, first.y);
  }

  // A part of a line is as thick as the pen is pressed; mice and fingers press evenly.
  function paintPart(context, points, index, size) {
    const [from, to] = [points[Math.max(index - 1, 0)], points[index]];
    context.lineWidth = size * to.press;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }

  function paintArrow(context, from, to, size) {
    const angle = Math.atan2(to.y - from.y, to.x - from.x), head = size * 4 + unit * 2;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    for (const side of [-0.5, 0.5]) {
      context.moveTo(to.x, to.y);
      context.lineTo(to.x - head * Math.cos(angle + side), to.y - head * Math.sin(angle + side));
    }
    context.stroke();
  }

  // Readable beside it: dark on light colours, light on dark ones.
  function against(hex) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return red * 0.3 + green * 0.6 + blue * 0.1 > 140 ? "#16171a" : "#ffffff";
  }

  function paintAll() {
    below.clearRect(0, 0, width, height);
    below.drawImage(picture, 0, 0);
    const shown = done.slice(done.findLastIndex((each) => each.tool === "clear") + 1);
    for (const each of shown) paintShape(below, each);
    dim("undo", !done.length);
    dim("redo", !undone.length);
    dim("clear", !shown.length);
  }

  function paintGlass() {
    frame = 0;
    above.clearRect(0, 0, width, height);
    if (shape) paintShape(above, shape);
    if (!cursor.shown) return;
    const { x, y } = cursorPoint(), pixel = width / glass.clientWidth, arm = 14 * pixel;
    for (const [stroke, line] of [["#ffffff", 5], ["#16171a", 2]]) {
      Object.assign(above, { strokeStyle: stroke, lineWidth: line * pixel, lineCap: "butt" });
      above.beginPath();
      for (const [dx, dy] of [[1, 0], [0, 1]]) {
        above.moveTo(x - dx * arm, y - dy * arm);
        above.lineTo(x + dx * arm, y + dy * arm);
      }
      above.stroke();
    }
  }
  const repaint = () => (frame ||= requestAnimationFrame(paintGlass));

  // What is done, undone, and lost on leaving

  const warn = (event) => event.preventDefault();
  function watch() {
    (done.length ? addEventListener : removeEventListener)("beforeunload", warn);
  }
  function commit(entry) {
    done.push(entry);
    undone = [];
    paintAll();
    watch();
    say(entry.tool === "clear" ? dialog.dataset.cleared : dialog.dataset[entry.tool]);
  }
  function begin(point) {
    const numbers = done.filter((each) => each.tool === "note").length;
    const size = Number(find("[data-width]").value) * unit;
    shape = { tool, color, size, points: [point], text: words.value.trim(), number: numbers + 1 };
    if (!PLACED.includes(tool)) return;
    if (shape.text || tool === "note") commit(shape);
    else refuseWords();
    if (shape?.text) words.value = "";
    shape = null;
  }
  function refuseWords() {
    say(dialog.dataset.words);
    words.focus();
  }
  function finish() {
    if (shape) commit(shape);
    shape = null;
    repaint();
  }

  // Pointers: mouse, finger, pen

  function pointOf(event) {
    const box = glass.getBoundingClientRect();
    return {
      x: ((event.clientX - box.x) / box.width) * width,
      y: ((event.clientY - box.y) / box.height) * height,
      press: event.pointerType === "pen" ? 0.4 + event.pressure * 1.2 : 1,
    };
  }
  let pointer = null;
  glass.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    event.preventDefault(); // keeps the focus where a person types words
    cursor.shown = false;
    if (tool !== "move") begin(pointOf(event));
    if (tool !== "move" && !shape) return repaint();
    pointer = event.pointerId;
    glass.setPointerCapture(pointer);
    repaint();
  });
  glass.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    if (tool === "move") return stage.scrollBy(-event.movementX, -event.movementY);
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const each of moves.length ? moves : [event]) extend(pointOf(each));
    repaint();
  });
  function extend(point) {
    if (shape.tool === "pen") shape.points.push(point);
    else shape.points[1] = point;
  }
  function release(event, keep) {
    if (event.pointerId !== pointer) return;
    pointer = null;
    if (!keep) shape = null;
    finish();
  }
  glass.addEventListener("pointerup", (event) => release(event, true));
  glass.addEventListener("pointercancel", (event) => release(event, false));

  // Keys: a mark on a grid

  const cursorPoint = () => ({
    x: ((cursor.column + 0.5) / COLUMNS) * width, y: ((cursor.row + 0.5) / ROWS) * height, press: 1,
  });
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  glass.addEventListener("keydown", (event) => {
    if (ARROWS[event.key]) moveCursor(...ARROWS[event.key]);
    else if (event.key === "Enter" || event.key === " ") mark();
    else return;
    event.preventDefault();
  });
  function moveCursor(right, down) {
    const within = (value, most) => Math.min(Math.max(value, 0), most - 1);
    cursor.column = within(cursor.column + right, COLUMNS);
    cursor.row = within(cursor.row + down, ROWS);
    showCursor();
  }
  function showCursor() {
    cursor.shown = true;
    if (shape) extend(cursorPoint());
    repaint();
    const at = { c: cursor.column + 1, C: COLUMNS, r: cursor.row + 1, R: ROWS };
    say(dialog.dataset.place.replace(/%([cCrR])/g, (_, name) => at[name]));
  }
  function mark() {
    if (tool === "move") return;
    if (shape) return finish();
    begin(cursorPoint());
    if (shape) say(dialog.dataset.begun);
    else cursor.shown = false; // what was placed is seen
    repaint();
  }
  glass.addEventListener("focus", () => glass.matches(":focus-visible") && showCursor());
  glass.addEventListener("blur", () => {
    cursor.shown = false;
    repaint();
  });
  // From the words to the picture, where they are placed.
  words.addEventListener("keydown", (event) => event.key === "Enter" && glass.focus());

  // Zoom, by the size that the picture is shown in

  function show() {
    const fit = Math.min(stage.clientWidth / width, stage.clientHeight / height, 1);
    const size = fit * STEPS[zoom];
    find(".draw-paper").style.setProperty("inline-size", `${Math.floor(width * size)}px`);
    dim("smaller", zoom === 0);
    dim("larger", zoom === STEPS.length - 1);
    return Math.round(size * 100);
  }
  function zoomBy(step) {
    zoom = Math.min(Math.max(zoom + step, 0), STEPS.length - 1);
    say(dialog.dataset.zoomed.replace("%p", show()));
  }
  const resized = new ResizeObserver(show);

  // Buttons

  const ACTS = {
    undo() {
      undone.push(done.pop());
      redrawn(dialog.dataset.undone);
    },
    redo() {
      done.push(undone.pop());
      redrawn(dialog.dataset.redone);
    },
    clear: () => commit({ tool: "clear" }),
    smaller: () => zoomBy(-1),
    larger: () => zoomBy(1),
    close() {
      if (!done.length) return leave();
      ask.hidden = false;
      ask.querySelector("button").focus();
    },
    stay() {
      ask.hidden = true;
      find("[data-act=close]").focus();
    },
    leave,
    save,
  };
  function redrawn(text) {
    paintAll();
    watch();
    say(text);
  }
  function choose(button) {
    shape = null;
    tool = button.dataset.tool;
    press("[data-tool]", button);
    find(".draw-words").hidden = !PLACED.includes(tool);
    glass.dataset.tool = tool;
    if (PLACED.includes(tool)) words.focus();
    repaint();
  }
  dialog.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.tool) choose(button);
    if (button?.dataset.color) {
      color = button.dataset.color;
      press("[data-color]", button);
    }
    if (button?.dataset.act) perform(button.dataset.act);
  });
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the shortcuts of the page below rest
    const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (event.key === "Escape") stop(event);
    else if (undo && event.target !== words) {
      event.preventDefault();
      perform(event.shiftKey ? "redo" : "undo");
    }
  });
  dialog.addEventListener("cancel", stop);
  dialog.addEventListener("close", reopen);
  function stop(event) {
    event.preventDefault();
    if (!ask.hidden) return ACTS.stay();
    if (!shape) return ACTS.close();
    shape = null; // a shape that was begun is given up first
    repaint();
  }
  // Browsers close a dialog after a second Escape, whatever it says about the first.
  function reopen() {
    dialog.showModal();
    ACTS.close();
  }
  function leave() {
    dialog.removeEventListener("close", reopen);
    removeEventListener("beforeunload", warn);
    resized.disconnect();
    dialog.close();
    dialog.remove();
    opener.focus();
  }

  // Saving

  const packed = (type) => new Promise((made) => paper.toBlob(made, type, 0.95));
  async function save() {
    finish();
    dim("save", true);
    say(dialog.dataset.sending);
    try {
      await send(await packed("image/png"));
    } catch {
      say(dialog.dataset.failed);
    }
    dim("save", false);
  }
  async function send(image) {
    const form = place.querySelector("form"), body = new FormData(form);
    body.set("image", image, "drawing");
    body.set("csrfmiddlewaretoken", document.getElementsByName("csrfmiddlewaretoken")[0].value);
    const headers = { Accept: "application/json", "HX-Request": "true" };
    const answer = await fetch(form.action, { method: "POST", body, headers });
    if (answer.status === 401) document.body.dispatchEvent(new CustomEvent("signed-out"));
    const said = await answer.json();
    if (!answer.ok) return say(said.error);
    leave();
    shownIn(said.review);
  }
  // Beside its card the card looks again, and keeps what was typed; elsewhere the card is shown.
  function shownIn(address) {
    const card = document.getElementById("card-area");
    const here = document.getElementById("detail")?.dataset.review === place.dataset.review;
    if (card && here) card.dispatchEvent(new CustomEvent("refresh"));
    else location.assign(address);
  }

  document.body.append(dialog);
  paintAll();
  dialog.showModal();
  resized.observe(stage);
}
