// A picture or film, what was found in it, and what a person decided about that.

const SAME_FROM = 0.3; // boxes of neighbouring frames with this IoU are of one object
const CORE_SHARE = 0.05; // of a box on each side, which an ellipse with a margin around it may leave out at its corners
const DOUBT_SHARE = 0.5; // scores this near to the threshold, as a share of it, are worth a look

export class Picture {
  constructor(file, name, isFilm = false) {
    this.file = file;
    this.name = name;
    this.isFilm = isFilm;
    this.state = "waiting"; // sending, looking, ready, failed
    this.progress = 0; // of the upload; of a film, of the work on it; null: not known
    this.doing = ""; // of a film: how far the server is
    this.isMade = false; // whether the server makes its result
    this.frames = 0;
    this.sureFrom = {}; // of a film: what the server said of its scores
    this.problem = "";
    this.sizes = []; // width and height of each frame; of a film, of all frames at once
    this.found = []; // objects of the models
    this.warnings = [];
    this.edits = { decided: new Map(), drawn: [] }; // never changed, but replaced
    this.history = [];
    this.result = null; // {key, file, detections, warnings}
  }

  takeFound({ detections, sizes, warnings, film, sure_from }) {
    const { decided: before, drawn } = this.edits;
    const known = this.found;
    this.sizes = sizes;
    this.frames = film?.frames ?? sizes.length;
    this.sureFrom = sure_from ?? {};
    this.warnings = warnings ?? [];
    this.detections = detections;
    this.found = toObjects(detections, this.frames);
    this.result = null;
    this.history = [];
    const decided = new Map();
    const hidden = known.filter((object) => before.get(object.id));
    for (const one of this.found) {
      // To hide goes on to whatever shares a place with it; to show to the same object alone, not to one beside it.
      if (hidden.some((object) => isSameObject(one, object))) decided.set(one.id, true);
      else if (before.get(mostAlike(one, known)?.id) === false) decided.set(one.id, false);
    }
    const lost = hidden.map((object) => without(object, this.found.filter((one) => isSameObject(one, object))));
    for (const object of this.keep(lost.filter(({ members }) => members.length))) decided.set(object.id, true);
    this.edits = { decided, drawn };
  }

  // Objects of an earlier search, where they were. Their tracks get numbers that no other one has.
  keep(objects) {
    let last = this.detections.reduce((most, entry) => Math.max(most, entry.track ?? 0), 0);
    const kept = objects.map((object) => {
      const track = object.track === undefined ? {} : { track: (last += 1) };
      return { ...object, ...track, id: `kept-${object.id}`, members: object.members.map((entry) => ({ ...entry, ...track })) };
    });
    this.found = [...this.found, ...kept];
    this.detections = [...this.detections, ...kept.flatMap((object) => object.members)];
    return kept;
  }

  // Objects that the records of a run do not hold.
  takeMore(detections) {
    const known = [...this.detections, ...this.edits.drawn.flatMap((object) => object.members)];
    const more = detections.filter((entry) => !known.some((one) => isSame(one, entry)));
    const objects = toObjects(more, this.frames);
    this.detections = [...this.detections, ...more];
    this.found = [...this.found, ...objects.map((object) => ({ ...object, id: `more-${object.id}`, isMore: true }))];
  }

  get objects() {
    return [...this.found, ...this.edits.drawn];
  }

  isHidden(object, thresholds) {
    return this.edits.decided.get(object.id) ?? (!object.isMore && object.score >= (thresholds[object.kind] ?? 0));
  }

  // The nearest to the threshold first. What is hidden anyway, as a part of something else, is left out.
  doubtful(thresholds) {
    const distance = (object) => Math.abs(object.score - thresholds[object.kind]);
    const isOpen = (object) => !this.edits.decided.has(object.id) && distance(object) <= DOUBT_SHARE * thresholds[object.kind];
    const hidden = this.objects.filter((object) => this.isHidden(object, thresholds));
    const isCovered = (object) =>
      !this.isHidden(object, thresholds) &&
      object.members.every((entry) => hidden.some((other) => other.members.some((one) => covers(one, entry))));
    return this.found.filter((object) => isOpen(object) && !isCovered(object)).sort((a, b) => distance(a) - distance(b));
  }

  // Everything is as it should be: what is doubtful stays as it is.
  approve(thresholds) {
    const doubtful = this.doubtful(thresholds);
    if (!doubtful.length) return;
    const decided = new Map(this.edits.decided);
    for (const object of doubtful) decided.set(object.id, this.isHidden(object, thresholds));
    this.change({ decided, drawn: this.edits.drawn });
  }

  decide(object, isHidden) {
    this.change({ decided: new Map(this.edits.decided).set(object.id, isHidden), drawn: this.edits.drawn });
  }

  draw(object) {
    this.change({ decided: this.edits.decided, drawn: [...this.edits.drawn, object] });
  }

  // The same object at another place.
  move(object, moved) {
    this.change({
      decided: this.edits.decided,
      drawn: this.edits.drawn.map((one) => (one.id === object.id ? moved : one)),
    });
  }

  change(edits) {
    this.history.push(this.edits);
    this.edits = edits;
  }

  undo() {
    if (!this.history.length) return false;
    this.edits = this.history.pop();
    return true;
  }

  // The detections to hide, as detection JSON.
  toHide(thresholds) {
    const owners = new Map(this.found.flatMap((object) => object.members.map((member) => [member, object])));
    const isWanted = (entry) => {
      const owner = owners.get(entry);
      if (this.isFilm) return this.isHidden(owner, thresholds); // in all of its frames, or in none
      return this.edits.decided.get(owner.id) ?? (!owner.isMore && entry.score >= (thresholds[entry.kind] ?? 0));
    };
    const drawn = this.edits.drawn.filter((object) => this.isHidden(object, thresholds));
    const frames = Array.from({ length: this.frames }, (_, frame) => frame);
    const isOne = this.frames === 1 && !this.isFilm;
    const wanted = [
      ...(this.detections ?? []).filter(isWanted),
      ...frames.flatMap((frame) => drawn.map((object) => ({ ...object.members[0], ...(isOne ? {} : { frame }) }))),
    ];
    return this.isFilm ? wanted.sort((a, b) => a.frame - b.frame) : wanted;
  }
}

function isSame(one, other) {
  return one.kind === other.kind && (one.frame ?? 0) === (other.frame ?? 0) && iou(boxOf(one), boxOf(other)) >= SAME_FROM;
}

// Whether they share a place in any frame.
function isSameObject(one, other) {
  const places = new Map(other.members.map((entry) => [entry.frame ?? 0, entry]));
  return one.members.some((entry) => places.has(entry.frame ?? 0) && isSame(entry, places.get(entry.frame ?? 0)));
}

// The one of them that shares most with an object, over all frames; undefined if none is the same.
function mostAlike(one, objects) {
  const same = objects.filter((object) => isSameObject(one, object));
  return same.reduce((best, object) => (best && shared(one, best) >= shared(one, object) ? best : object), undefined);
}

function shared(one, other) {
  const places = new Map(other.members.map((entry) => [entry.frame ?? 0, boxOf(entry)]));
  const ious = one.members.map((entry) => iou(boxOf(entry), places.get(entry.frame ?? 0) ?? [0, 0, 0, 0]));
  return ious.reduce((sum, each) => sum + each, 0);
}

// An object in those frames alone in which none of the others is.
function without(object, others) {
  const frames = new Set(others.flatMap((one) => one.members.map((entry) => entry.frame ?? 0)));
  return { ...object, members: object.members.filter((entry) => !frames.has(entry.frame ?? 0)) };
}

// One object for each track, and for boxes that follow each other through frames.
function toObjects(detections, frames) {
  const objects = [];
  for (const entry of detections) {
    const frame = entry.frame ?? 0;
    const box = boxOf(entry);
    const known = frames > 1 || entry.track !== undefined ? objects.find((object) => belongs(object, entry, frame, box)) : undefined;
    if (known) {
      known.members.push(entry);
      known.last = { frame, box };
      known.score = Math.max(known.score, entry.score);
    } else {
      objects.push({
        id: `found-${objects.length}`,
        kind: entry.kind,
        score: entry.score,
        members: [entry],
        track: entry.track,
        last: { frame, box },
      });
    }
  }
  return objects;
}

function belongs(object, entry, frame, box) {
  if (object.kind !== entry.kind) return false;
  if (entry.track !== undefined || object.track !== undefined) return object.track === entry.track;
  return object.last.frame === frame - 1 && iou(object.last.box, box) >= SAME_FROM;
}

// What is to be hidden of a detection: x_min, y_min, x_max, y_max.
export function boxOf(entry) {
  const wide = entry.extent ?? entry;
  return [
    Math.min(entry.x_min, wide.x_min),
    Math.min(entry.y_min, wide.y_min),
    Math.max(entry.x_max, wide.x_max),
    Math.max(entry.y_max, wide.y_max),
  ];
}

// Whether hiding one also hides nearly all of the other. A core of the box is taken, since shapes may be round.
function covers(one, other) {
  if (one.outline || (one.frame ?? 0) !== (other.frame ?? 0)) return false; // an outline leaves out parts of its box
  const [left, top, right, bottom] = boxOf(one);
  const [x, y] = [(right - left) * CORE_SHARE, (bottom - top) * CORE_SHARE];
  const [l, t, r, b] = boxOf(other);
  return l >= left + x && t >= top + y && r <= right - x && b <= bottom - y;
}

export function iou(a, b) {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
  const shared = width * height;
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}

let drawnSoFar = 0;

// An object that a person drew: {box: [x_min, y_min, x_max, y_max]}, {ellipse: ...} or {stroke: ...}.
export function drawnObject(place, id = `drawn-${(drawnSoFar += 1)}`, kind = "area") {
  const [x_min, y_min, x_max, y_max] = hullOf(place);
  const outline = place.box ? {} : { outline: place };
  const entry = { y_min, x_min, y_max, x_max, score: 1, kind, ...outline };
  return { id, kind, score: 1, members: [entry], place };
}

function hullOf({ box, ellipse, stroke }) {
  if (box) return box;
  if (ellipse) {
    const [[x, y], [a, b]] = [ellipse.center, ellipse.semi_axes];
    return [x - a, y - b, x + a, y + b];
  }
  const half = stroke.width / 2;
  const xs = stroke.points.map(([x]) => x);
  const ys = stroke.points.map(([, y]) => y);
  return [least(xs) - half, least(ys) - half, most(xs) + half, most(ys) + half];
}

function least(numbers) {
  return numbers.reduce((a, b) => Math.min(a, b));
}

function most(numbers) {
  return numbers.reduce((a, b) => Math.max(a, b));
}
