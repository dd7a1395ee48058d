// The page: pictures come in, the server says what is in them, a person decides, and the results go out.

import { cleanName, freeName, memberNames, recordNames } from "./names.js";
import { FilmView, Frames } from "./film.js";
import { Picture, drawnObject } from "./picture.js";
import { detect, detectFilm, fetchChecked, fetchOffer, redact, redactFilm } from "./server.js";
import { Review } from "./review.js";
import { Stage } from "./stage.js";
import { makeZip } from "./zip.js";

const LOW_SHARE = 0.5; // objects are shown from this share of the server's thresholds on
const LANES = 2; // uploads of pictures at a time; films go one after the other
const PAUSE_MS = 250; // after the last change, before the result is made anew
const CARD_PX = 144; // twice what is shown, for fine screens
const STEP_SHARE = 0.02; // of the picture, for each key that moves a box
const STATES = { waiting: "waits", sending: "is sent", looking: "is looked at", failed: "failed" };

const at = (id) => document.getElementById(id);
let offer;
let thresholds = {};
let lowest = {};
let pictures = [];
let open = null;
let selected = null;
let review = null;
let busyLanes = 0;
let isFilmLaneBusy = false;
let lookedAt = null; // in a review, while the page looks for more: {done, all}
let pending = null; // the timer or request of the next result
const urls = new Map(); // of blobs

const stage = new Stage(
  {
    stage: at("stage"),
    pictures: { before: at("before"), after: at("after") },
    films: { before: at("film-before"), after: at("film-after") },
    outlines: at("outlines"),
    scroller: at("scroller"),
    unseen: at("unseen"),
  },
  { onPick: (object) => toggle(object), onDraw: (object) => draw(object) },
);

const filmView = new FilmView(
  {
    before: at("film-before"),
    after: at("film-after"),
    tools: at("film-tools"),
    play: at("play"),
    moment: at("moment"),
    text: at("moment-text"),
  },
  (frame) => {
    if (!open?.isFilm || frame === stage.frame) return;
    stage.frame = frame;
    stage.outline(shownObjects());
  },
);
const framesOfFilms = new Frames();

await begin();

async function begin() {
  try {
    offer = await fetchOffer();
  } catch (error) {
    say(error.message);
    return;
  }
  for (const [kind, { threshold }] of Object.entries(offer.kinds)) {
    thresholds[kind] = offer.review?.thresholds[kind] ?? threshold;
    lowest[kind] = Math.max(0.001, Math.round(thresholds[kind] * LOW_SHARE * 1000) / 1000);
  }
  takeDefaults();
  makeThresholds();
  listenToFiles();
  listenToSettings();
  listenToEditor();
  at("plain").hidden = true;
  at("sign-out").hidden = !offer.needs_token || Boolean(offer.review);
  at("sign-out").addEventListener("click", signOut);
  if (offer.review) await beginReview();
  document.documentElement.dataset.ready = "";
}

async function beginReview() {
  review = new Review(say);
  at("upload").hidden = true;
  document.title = document.querySelector("h1").textContent = "Review";
  at("promise").textContent = `Decisions are kept in ${offer.review.edits}. The originals stay as they are.`;
  at("saving").hidden = false;
  at("remove-all").hidden = true;
  at("again").textContent = offer.review.again;
  document.body.classList.add("is-review");
  at("redact-again").addEventListener("click", () => review.redactAgain());
  pictures = await review.fetchPictures();
  pictures.sort((a, b) => b.doubtful(thresholds).length - a.doubtful(thresholds).length);
  renderPictures();
  const first = pictures.find((picture) => picture.state === "ready");
  if (first) await openPicture(first);
  moveToDoubtful();
  lookForMoreInAll();
}

async function signOut() {
  try {
    await fetchChecked("/v1/session", { method: "DELETE" });
    location.reload();
  } catch (error) {
    say(error.message);
  }
}

function say(text) {
  at("status").textContent = at("said").textContent = text; // the second one is in view with a picture
}

// ---- settings

// As the operator has set them.
function takeDefaults() {
  for (const [key, { default: value }] of Object.entries(offer.settings)) {
    const field = at(key);
    if (field === null || field.form !== at("upload") || value === null) continue;
    if (field.type === "color") field.value = /^#[0-9a-f]{6}$/i.test(value) ? value : "#000000";
    else field.value = String(value);
  }
}

function kindBoxes() {
  return [...at("kinds").querySelectorAll("input")];
}

// What is looked for.
function chosenKinds() {
  return kindBoxes().filter((box) => box.checked).map((box) => box.value);
}

function makeThresholds() {
  for (const kind of Object.keys(offer.kinds)) {
    const line = document.createElement("p");
    line.dataset.kind = kind;
    const label = document.createElement("label");
    const slider = document.createElement("input");
    const value = document.createElement("output");
    label.htmlFor = slider.id = `threshold-${kind}`;
    label.textContent = `Hide ${offer.kinds[kind].plural} from this score on`;
    Object.assign(slider, { type: "range", min: lowest[kind], max: 0.99, step: 0.005 });
    slider.value = thresholds[kind];
    value.textContent = thresholds[kind];
    slider.addEventListener("input", () => {
      thresholds[kind] = Number(slider.value);
      value.textContent = slider.value;
      edited();
    });
    line.append(label, slider, value);
    at("thresholds").append(line);
  }
  at("thresholds").hidden = false;
}

function showSettings() {
  for (const line of at("settings").querySelectorAll("[data-for]")) {
    line.hidden = !line.dataset.for.split(" ").includes(at("method").value);
  }
  const kinds = chosenKinds();
  for (const line of at("thresholds").children) line.hidden = !kinds.includes(line.dataset.kind);
  for (const output of at("upload").querySelectorAll("output[for]")) output.textContent = at(output.htmlFor).value;
}

function listenToSettings() {
  showSettings();
  at("settings").addEventListener("input", () => {
    showSettings();
    edited();
  });
  at("preset").addEventListener("change", lookAnew);
  at("kinds").addEventListener("change", (event) => {
    if (!chosenKinds().length) {
      event.target.checked = true;
      say("Something has to be looked for.");
      return;
    }
    showSettings();
    lookAnew();
  });
}

// What is on its way is of other settings.
function lookAnew() {
  for (const picture of pictures) {
    if (picture.state === "failed") continue;
    picture.controller?.abort();
    picture.state = "waiting";
  }
  renderPictures();
  fillLanes();
}

// What is asked of the server when it hides, beside detections.
function hidingSettings() {
  const settings = {};
  const wanted = "select, input, [data-for]:not([hidden]) input";
  for (const field of review ? [] : at("settings").querySelectorAll(wanted)) {
    if (!field.closest("[hidden]")) settings[field.name] = field.value;
  }
  for (const kind of Object.keys(offer.kinds)) settings[`${kind}-threshold`] = "0.001"; // what is posted is hidden
  settings.kinds = [...Object.keys(offer.kinds), "area"].join(",");
  return settings;
}

function findingSettings() {
  const kinds = chosenKinds();
  const settings = { preset: at("preset").value, kinds: kinds.join(",") };
  for (const kind of kinds) settings[`${kind}-threshold`] = String(lowest[kind]);
  return settings;
}

// ---- files come in

function listenToFiles() {
  const input = at("file");
  input.multiple = true;
  input.required = false;
  at("drop-hint").hidden = false;
  at("upload").addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("change", () => {
    addFiles([...input.files].map((file) => [file, file.webkitRelativePath || file.name]));
    input.value = "";
  });
  if (offer.review) return;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("is-over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && document.body.classList.remove("is-over"));
  addEventListener("drop", async (event) => {
    event.preventDefault();
    document.body.classList.remove("is-over");
    addFiles(await droppedFiles(event.dataTransfer));
  });
  addEventListener("paste", (event) => addFiles([...event.clipboardData.files].map((file) => [file, file.name])));
}

async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry);
  if (!entries.length) return [...transfer.files].map((file) => [file, file.name]);
  const nested = await Promise.all(entries.map(filesOf));
  return nested.flat();
}

async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [[file, entry.fullPath.slice(1) || file.name]];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesOf))).flat();
}

function addFiles(pairs) {
  const taken = new Set(pictures.map((picture) => picture.name.toLowerCase()));
  for (const [file, path] of pairs) {
    const name = freeName(cleanName(path), taken);
    taken.add(name.toLowerCase());
    const picture = new Picture(file, name, isFilm(file, name));
    pictures.push(picture);
    const most = picture.isFilm ? offer.films?.max_bytes : offer.max_bytes;
    if (most === undefined || file.size > most) {
      picture.state = "failed";
      picture.problem = most === undefined ? "the server takes no films" : `is larger than ${Math.floor(most / 1e6)} MB`;
    }
  }
  renderPictures();
  fillLanes();
}

function isFilm(file, name) {
  const end = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return offer.films?.extensions.includes(end) || file.type.startsWith("video/");
}

function fillLanes() {
  const film = pictures.find((picture) => picture.isFilm && picture.state === "waiting");
  if (film && !isFilmLaneBusy) {
    isFilmLaneBusy = true;
    lookAt(film).finally(() => {
      isFilmLaneBusy = false;
      fillLanes();
    });
  }
  while (busyLanes < LANES) {
    const next = pictures.find((picture) => !picture.isFilm && picture.state === "waiting");
    if (!next) return;
    busyLanes += 1;
    lookAt(next).finally(() => {
      busyLanes -= 1;
      fillLanes();
    });
  }
}

async function lookAt(picture) {
  picture.state = "sending";
  renderPictures();
  const onProgress = (share) => {
    picture.progress = share;
    if (share === 1) picture.state = "looking";
    renderPictures();
  };
  picture.controller = new AbortController();
  const tellsWaiting = () => say("The server has much to do; this page waits and tries again.");
  try {
    const options = { signal: picture.controller.signal, onProgress, onWait: tellsWaiting, onJob: jobTeller(picture) };
    picture.takeFound(await (picture.isFilm ? detectFilm : detect)(picture.file, findingSettings(), options));
    picture.state = "ready";
  } catch (error) {
    if (error.name === "AbortError") return;
    picture.state = "failed";
    picture.problem = error.message;
  }
  renderPictures();
  if (picture.state === "ready" && (open === null || open === picture)) await openPicture(picture);
  const left = pictures.filter((one) => !["ready", "failed"].includes(one.state)).length;
  say(left ? `${left} of ${pictures.length} files to look at` : allLookedAt());
}

function allLookedAt() {
  return pictures.length === 1 ? "All is looked at." : `All ${pictures.length} files are looked at.`;
}

// What takes down how far the server is with a film.
function jobTeller(picture) {
  return ({ state, progress, doing, eta_seconds, position }) => {
    const isWaiting = state === "waiting";
    picture.progress = isWaiting ? null : progress;
    const left = eta_seconds >= 90 ? `${Math.round(eta_seconds / 60)} minutes` : `${Math.max(1, Math.round(eta_seconds))} s`;
    picture.doing = isWaiting ? `waits, ${position} before it` : [doing, `about ${left} left`].filter(Boolean).join(", ");
    renderPictures();
  };
}

// ---- the list

function renderPictures() {
  at("work").hidden = !pictures.length;
  const lines = pictures.map((picture) => {
    picture.line ??= makeLine(picture);
    const { button, state, bar, retry, cancel } = picture.line;
    const isReady = picture.state === "ready";
    button.disabled = !isReady;
    button.setAttribute("aria-current", String(picture === open));
    const isBusy = ["sending", "looking"].includes(picture.state);
    bar.hidden = !isBusy && !picture.isMade;
    const isKnown = picture.state === "sending" || (picture.isFilm && picture.progress !== null);
    if (isKnown) bar.value = picture.progress;
    else bar.removeAttribute("value");
    cancel.hidden = !picture.isFilm || bar.hidden;
    retry.hidden = picture.state !== "failed";
    const doing = (picture.state === "looking" || picture.isMade) && picture.doing;
    state.textContent = doing || (isReady ? summaryOf(picture) : picture.problem || STATES[picture.state]);
    picture.line.item.classList.toggle("is-failed", picture.state === "failed");
    return picture.line.item;
  });
  showIn(at("pictures"), lines);
  if (open) renderLeft();
  at("download-all").disabled = !pictures.some((picture) => picture.state === "ready");
}

// Leaves what is there already where it is: else it would lose the focus, and clicks that have begun.
function showIn(list, items) {
  if (items.length === list.children.length && items.every((item, index) => list.children[index] === item)) return;
  list.replaceChildren(...items);
}

function summaryOf(picture) {
  const hidden = picture.objects.filter((object) => picture.isHidden(object, thresholds)).length;
  const doubtful = picture.doubtful(thresholds).length;
  return `${hidden} hidden${doubtful ? `, ${doubtful} doubtful` : ""}`;
}

function makeLine(picture) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const name = document.createElement("span");
  const state = document.createElement("span");
  const bar = document.createElement("progress");
  const remove = document.createElement("button");
  const retry = document.createElement("button");
  const cancel = document.createElement("button");
  button.type = remove.type = retry.type = cancel.type = "button";
  button.className = "picture";
  name.textContent = picture.name;
  name.className = "name";
  state.className = "state";
  bar.setAttribute("aria-label", `Progress of ${picture.name}`);
  bar.max = 1;
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove ${picture.name}`);
  remove.hidden = Boolean(offer.review);
  cancel.textContent = "Cancel";
  cancel.setAttribute("aria-label", `Cancel the work on ${picture.name}`);
  retry.textContent = "Try again";
  retry.setAttribute("aria-label", `Try ${picture.name} again`);
  button.append(name, state);
  item.append(button, bar, cancel, retry, remove);
  button.addEventListener("click", async () => {
    await openPicture(picture);
    at("editor").scrollIntoView();
  });
  remove.addEventListener("click", () => removePicture(picture));
  cancel.addEventListener("click", () => cancelWork(picture));
  retry.addEventListener("click", () => {
    picture.state = "waiting";
    picture.problem = "";
    renderPictures();
    fillLanes();
  });
  return { item, button, state, bar, retry, cancel };
}

function cancelWork(picture) {
  picture.maker?.abort();
  if (picture.state === "ready") return;
  picture.controller?.abort();
  picture.state = "failed";
  picture.problem = "cancelled";
  renderPictures();
}

function removePicture(picture) {
  picture.controller?.abort();
  picture.maker?.abort();
  pictures = pictures.filter((one) => one !== picture);
  forgetUrl(picture.file);
  if (picture === open) closePicture();
  renderPictures();
}

function closePicture() {
  stopPending();
  open = selected = null;
  at("editor").hidden = true;
  stage.clear();
}

function urlOf(blob) {
  if (!urls.has(blob)) urls.set(blob, URL.createObjectURL(blob));
  return urls.get(blob);
}

function forgetUrl(blob) {
  if (!urls.has(blob)) return;
  URL.revokeObjectURL(urls.get(blob));
  urls.delete(blob);
}

// ---- one picture in view

async function openPicture(picture) {
  if (picture.fetchFile && !picture.file) {
    try {
      picture.file = await picture.fetchFile();
    } catch (error) {
      picture.state = "failed";
      picture.problem = error.message;
      renderPictures();
      return;
    }
  }
  if (review) lookForMore(picture);
  open = picture;
  selected = null;
  chooseTool("select");
  at("editor").hidden = false;
  at("editor-title").textContent = picture.name;
  at("frame-choice").hidden = picture.isFilm || picture.sizes.length < 2;
  at("frame").value = 1;
  at("frame").max = picture.sizes.length;
  stage.show(urlOf(picture.file), picture.sizes[0], picture.isFilm);
  filmView.show(picture);
  stage.compare(Number(at("compare").value) / 100);
  renderEditor();
  makeResultSoon(0);
}

// In a review: what the run was not sure enough of. It stays visible until somebody hides it.
async function lookForMore(picture) {
  if (picture.isLookedAt || picture.isFilm) return; // films are looked at by runs
  picture.isLookedAt = true;
  try {
    const { detections } = await detect(picture.file, findingSettings(), {});
    picture.takeMore(detections);
  } catch (error) {
    say(`${picture.name}: ${error.message}`);
    return;
  }
  renderPictures();
  if (picture === open) renderEditor();
}

async function lookForMoreInAll() {
  for (const [index, picture] of pictures.entries()) {
    if (picture.state !== "ready" || picture.isLookedAt || picture.isFilm) continue;
    lookedAt = { done: index, all: pictures.length };
    renderLeft();
    say(`Looks for what may have been missed: ${index + 1} of ${pictures.length} files`);
    try {
      picture.file = await picture.fetchFile();
    } catch (error) {
      picture.state = "failed";
      picture.problem = error.message;
      continue;
    }
    await lookForMore(picture);
    if (picture !== open) picture.file = null; // it can be fetched again
  }
  lookedAt = null;
  say("All files were looked at once more.");
  renderPictures();
}

function edited() {
  for (const picture of pictures) picture.isStale = true;
  renderPictures();
  if (!open) return;
  renderEditor();
  makeResultSoon(PAUSE_MS);
}

function decisionMade() {
  review?.save(open);
  renderPictures();
  renderEditor();
  makeResultSoon(PAUSE_MS);
}

function shownObjects() {
  return open.objects.map((object) => ({
    object,
    isHidden: open.isHidden(object, thresholds),
    isSelected: object === selected,
  }));
}

function renderEditor() {
  const shown = shownObjects();
  stage.outline(shown);
  at("undo").disabled = !open.history.length;
  at("hide").disabled = at("keep").disabled = selected === null;
  renderCards(shown);
  renderLeft();
  const warnings = open.result?.warnings ?? open.warnings;
  at("warnings").replaceChildren(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

// How much is doubtful, here and in all.
function renderLeft() {
  const here = open?.doubtful(thresholds).length ?? 0;
  const all = pictures.map((picture) => picture.doubtful(thresholds).length).filter(Boolean);
  const total = all.reduce((sum, one) => sum + one, 0);
  at("next").disabled = !total;
  at("approve").disabled = !here;
  const files = `${all.length} ${all.length === 1 ? "file" : "files"}`;
  const found = total ? `${here} doubtful here, ${total} in ${files}` : "Nothing is doubtful";
  at("left").textContent = lookedAt
    ? `${found} so far: ${lookedAt.done} of ${lookedAt.all} files are looked at once more.`
    : `${found}.`;
}

function renderCards(shown) {
  const known = new Map([...at("objects").children].map((item) => [item.dataset.key, item]));
  const numbers = {};
  const cards = shown.map(({ object, isHidden, isSelected }) => {
    numbers[object.kind] = (numbers[object.kind] ?? 0) + 1;
    const title = `${titleOf(object.kind)} ${numbers[object.kind]}`;
    const key = `${pictures.indexOf(open)} ${open.name} ${object.id} ${title}`;
    const item = known.get(key) ?? makeCard(key, object, title);
    item.querySelector(".state").textContent = isHidden ? "hidden" : "visible";
    item.classList.toggle("is-hidden", isHidden);
    item.classList.toggle("is-selected", isSelected);
    if (item.object !== object) drawCard(item, object);
    return item;
  });
  showIn(at("objects"), cards);
  showChosen();
}

// The selected object beside the buttons that decide about it.
function showChosen() {
  const card = at("objects").querySelector(".is-selected");
  at("chosen").classList.toggle("is-empty", card === null);
  if (card === null) return;
  const [name, score, state] = [...card.querySelectorAll("span")].map((span) => span.textContent);
  at("chosen-name").textContent = name;
  at("chosen-score").textContent = score;
  at("chosen-state").textContent = state;
  const canvas = at("chosen").querySelector("canvas");
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(card.querySelector("canvas"), 0, 0, canvas.width, canvas.height);
}

// "a face" as the beginning of a line: "Face".
function titleOf(kind) {
  const name = (offer.kinds[kind]?.one ?? kind).replace(/^an? /, "");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function makeCard(key, object, title) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const canvas = document.createElement("canvas");
  const name = document.createElement("span");
  const score = document.createElement("span");
  const state = document.createElement("span");
  item.dataset.key = key;
  button.type = "button";
  canvas.width = canvas.height = CARD_PX;
  name.textContent = title;
  score.textContent = object.place ? "by hand" : `score ${object.score.toFixed(2)}`;
  const id = object.id;
  state.className = "state";
  button.append(canvas, name, score, state);
  button.addEventListener("click", () => toggle(open.objects.find((one) => one.id === id)));
  button.addEventListener("focus", () => select(open.objects.find((one) => one.id === id)));
  item.append(button);
  return item;
}

// The object with a little around it.
function drawCard(item, object) {
  item.object = object;
  if (open.isFilm) {
    const best = object.place ? null : object.members.reduce((one, other) => (other.score > one.score ? other : one));
    framesOfFilms.at(urlOf(open.file), best?.time_s ?? 0, (video) => {
      if (item.isConnected) drawPart(item, object, best ?? object.members[0], video, video.videoWidth);
    });
    return;
  }
  const image = at("before");
  if (!image.complete || !image.naturalWidth) {
    image.addEventListener("load", () => item.isConnected && drawCard(item, object), { once: true });
    return;
  }
  const entry = object.members[0];
  if ((entry.frame ?? 0) > 0) return;
  drawPart(item, object, entry, image, image.naturalWidth);
}

function drawPart(item, object, entry, image, imageWidth) {
  if (!open) return;
  const scale = imageWidth / open.sizes[0][0];
  const width = entry.x_max - entry.x_min;
  const height = entry.y_max - entry.y_min;
  const side = Math.max(width, height, 8) * 1.6;
  const left = (entry.x_min + entry.x_max - side) / 2;
  const top = (entry.y_min + entry.y_max - side) / 2;
  const context = item.querySelector("canvas").getContext("2d");
  context.clearRect(0, 0, CARD_PX, CARD_PX);
  context.drawImage(image, left * scale, top * scale, side * scale, side * scale, 0, 0, CARD_PX, CARD_PX);
  if (item.classList.contains("is-selected")) showChosen();
}

function select(object) {
  if (!object || selected === object) return;
  selected = object;
  if (open.isFilm && !object.place && !object.members.some((entry) => entry.frame === stage.frame)) {
    filmView.seek(object.members[0].time_s);
  }
  stage.scrollTo(object);
  renderEditor();
}

function toggle(object) {
  if (!object) return;
  selected = object;
  open.decide(object, !open.isHidden(object, thresholds));
  decisionMade();
}

function draw(object) {
  open.draw(object);
  selected = object;
  decisionMade();
}

function listenToEditor() {
  at("compare").addEventListener("input", () => stage.compare(Number(at("compare").value) / 100));
  at("zoom").addEventListener("input", () => {
    stage.zoom(Number(at("zoom").value));
    if (selected) stage.scrollTo(selected);
  });
  for (const radio of document.querySelectorAll("input[name=tool]")) {
    radio.addEventListener("change", () => chooseTool(radio.value));
  }
  at("brush-size").addEventListener("input", () => {
    stage.brushShare = Number(at("brush-size").value) / 100;
  });
  at("frame").addEventListener("input", () => {
    stage.frame = Math.min(open.sizes.length, Math.max(1, Number(at("frame").value) || 1)) - 1;
    renderEditor();
  });
  at("next").addEventListener("click", moveToDoubtful);
  at("approve").addEventListener("click", approve);
  at("next-file").addEventListener("click", () => moveToFile(1));
  at("hide").addEventListener("click", () => decideSelected(true));
  at("keep").addEventListener("click", () => decideSelected(false));
  at("undo").addEventListener("click", undo);
  at("add").addEventListener("click", addBox);
  at("make").addEventListener("click", makeAsked);
  at("download").addEventListener("click", () => saving(downloadOne));
  at("download-all").addEventListener("click", () => saving(downloadAll));
  at("remove-all").addEventListener("click", () => [...pictures].forEach(removePicture));
  document.addEventListener("keydown", onKey);
}

function chooseTool(tool) {
  at(`tool-${tool}`).checked = true;
  stage.setTool(tool);
  at("brush").hidden = tool !== "brush";
}

function onKey(event) {
  if (!open || event.altKey || event.metaKey) return;
  const isZ = event.key.toLowerCase() === "z";
  if (event.ctrlKey && !isZ) return;
  if (/^(select|textarea)$/i.test(event.target.tagName) || /^(text|password|number|color)$/.test(event.target.type)) return;
  if (event.target === at("scroller") && moveBox(event)) {
    event.preventDefault();
    return;
  }
  if (!at("keys").checked && !event.ctrlKey) return;
  const actions = {
    n: moveToDoubtful,
    h: () => decideByKey(true),
    k: () => decideByKey(false),
    u: undo,
    b: addBox,
    d: approve,
    f: () => moveToFile(event.shiftKey ? -1 : 1),
    escape: () => chooseTool("select"),
    r: () => review?.redactAgain(),
  };
  const action = event.ctrlKey ? undo : actions[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}

function decideSelected(isHidden) {
  if (!selected) return;
  open.decide(selected, isHidden);
  decisionMade();
}

// Goes on to the next doubtful object, if this was one.
function decideByKey(isHidden) {
  if (!selected) return;
  const wasDoubtful = open.doubtful(thresholds).includes(selected);
  decideSelected(isHidden);
  if (wasDoubtful) moveToDoubtful();
}

// Looks right as it is: on to the next picture that has something doubtful.
function approve() {
  if (!open.doubtful(thresholds).length) return;
  open.approve(thresholds);
  selected = null;
  decisionMade();
  moveToDoubtful();
}

// The next in this picture after the selected one, else in the next picture that has one.
async function moveToDoubtful() {
  const here = open?.doubtful(thresholds) ?? [];
  const next = here[here.indexOf(selected) + 1];
  if (next) {
    select(next);
    at("editor").scrollIntoView();
    return;
  }
  const begin = pictures.indexOf(open);
  const order = [...pictures.slice(begin + 1), ...pictures.slice(0, begin + 1)];
  const picture = order.find((one) => one.state === "ready" && one.doubtful(thresholds).length);
  if (!picture) {
    say("Nothing is doubtful any more.");
    return;
  }
  if (picture !== open) await openPicture(picture);
  select(picture.doubtful(thresholds)[0]);
  at("editor").scrollIntoView();
}

// The next file that can be shown, or the one before, whether it has anything doubtful or not.
async function moveToFile(step) {
  const ready = pictures.filter((picture) => picture.state === "ready");
  const next = ready[(ready.indexOf(open) + step + ready.length) % ready.length];
  if (next && next !== open) await openPicture(next);
  at("editor").scrollIntoView();
}

function undo() {
  if (!open.undo()) return;
  selected = open.objects.find((object) => object.id === selected?.id) ?? null;
  decisionMade();
}

// For those who do not use a pointer.
function addBox() {
  const [width, height] = sizeInView();
  const share = (value) => Math.round(value * 10) / 10;
  draw(drawnObject({ box: [share(width * 0.4), share(height * 0.4), share(width * 0.6), share(height * 0.6)] }));
  at("scroller").focus();
}

function sizeInView() {
  return open.sizes[open.isFilm ? 0 : stage.frame];
}

function moveBox(event) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const box = selected?.place?.box;
  if (!steps[event.key] || !box) return false;
  const [width, height] = sizeInView();
  const by = Math.max(1, Math.round(Math.min(width, height) * STEP_SHARE));
  const [x, y] = steps[event.key].map((step) => step * by);
  const moved = event.shiftKey
    ? [box[0], box[1], Math.max(box[0] + 1, box[2] + x), Math.max(box[1] + 1, box[3] + y)]
    : [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
  if (moved[0] >= width || moved[1] >= height || moved[2] <= 0 || moved[3] <= 0) return true;
  const object = drawnObject({ box: moved }, selected.id);
  open.move(selected, object);
  selected = object;
  decisionMade();
  return true;
}

// ---- results

function keyOf(picture) {
  return JSON.stringify([hidingSettings(), picture.toHide(thresholds)]);
}

async function resultOf(picture, signal) {
  const key = keyOf(picture);
  if (picture.result?.key === key) return picture.result;
  if (!picture.file) picture.file = await picture.fetchFile();
  const made = picture.isFilm
    ? await makeFilm(picture, signal)
    : await redact(picture.file, picture.toHide(thresholds), hidingSettings(), { signal });
  if (picture.result) forgetUrl(picture.result.file);
  picture.result = { key, ...made };
  return picture.result;
}

async function makeFilm(picture, signal) {
  picture.maker?.abort();
  picture.maker = new AbortController();
  signal?.addEventListener("abort", () => picture.maker.abort());
  picture.isMade = true;
  picture.progress = null;
  picture.doing = "is sent";
  renderPictures();
  const options = { signal: picture.maker.signal, onJob: jobTeller(picture) };
  try {
    return await redactFilm(picture.file, picture.toHide(thresholds), picture.sureFrom, hidingSettings(), options);
  } finally {
    picture.isMade = false;
    picture.doing = "";
    renderPictures();
  }
}

// Films take long: their result is made when it is asked for.
async function makeAsked() {
  const picture = open;
  at("make").disabled = true;
  try {
    const result = await resultOf(picture);
    if (picture !== open) return;
    showResultOf(result);
  } catch (error) {
    say(error.name === "AbortError" ? `${picture.name}: cancelled` : `${picture.name}: ${error.message}`);
  } finally {
    at("make").disabled = false;
  }
}

function showResultOf(result) {
  stage.showResult(urlOf(result.file));
  stage.compare(Number(at("compare").value) / 100);
  renderEditor();
}

function stopPending() {
  clearTimeout(pending?.timer);
  pending?.controller.abort();
  pending = null;
}

function makeResultSoon(pause) {
  stopPending();
  const picture = open;
  if (picture.isFilm) {
    const isMade = picture.result?.key === keyOf(picture);
    stage.showResult(isMade ? urlOf(picture.result.file) : null);
    return;
  }
  const controller = new AbortController();
  const timer = setTimeout(async () => {
    at("stage").setAttribute("aria-busy", "true");
    try {
      const result = await resultOf(picture, controller.signal);
      if (picture !== open) return;
      showResultOf(result);
    } catch (error) {
      if (error.name === "AbortError") return;
      stage.showResult(null);
      say(`${picture.name}: ${error.message}`);
    } finally {
      if (picture === open) at("stage").removeAttribute("aria-busy");
    }
  }, pause);
  pending = { timer, controller };
}

async function saving(save) {
  const buttons = [at("download"), at("download-all")];
  for (const button of buttons) button.disabled = true;
  try {
    await save();
  } catch (error) {
    say(error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

async function downloadOne() {
  const { file } = await resultOf(open);
  offerFile(file, open.name.split("/").pop());
}

async function downloadAll() {
  const ready = pictures.filter((picture) => picture.state === "ready");
  const names = memberNames(ready.map((picture) => picture.name));
  const records = recordNames(names);
  const members = [];
  for (const [index, picture] of ready.entries()) {
    say(`${index + 1} of ${ready.length}: ${picture.name}`);
    let result;
    try {
      result = await resultOf(picture);
    } catch (error) {
      const reason = error.name === "AbortError" ? "cancelled." : error.message;
      throw new Error(`${picture.name}: ${reason} Nothing was downloaded.`);
    }
    members.push({ name: names[index], content: result.file });
    if (at("with-detections").checked) members.push({ name: records[index], content: result.detections });
  }
  offerFile(await makeZip(members), "anonymized.zip");
  const missing = pictures.length - ready.length;
  say(missing ? `${missing} files are not in the zip file: they failed, or are not looked at yet.` : "The zip file is complete.");
}

function offerFile(blob, name) {
  const link = document.createElement("a");
  const url = URL.createObjectURL(blob);
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
