// A finished folder in view: its records, what a person decides about them, and the run that redacts again.

import { Picture, boxOf, drawnObject, iou } from "./picture.js";
import { fetchChecked } from "./server.js";

const SAME_FROM = 0.5;
const PAUSE_MS = 300;

export class Review {
  constructor(say) {
    this.say = say;
    this.timer = null;
    this.unsaved = new Set();
    this.saving = Promise.resolve();
    this.isRedacting = false;
  }

  // Pictures of the folder, with their detections and with what was decided before.
  async fetchPictures() {
    const { pictures } = await (await fetchChecked("/v1/review")).json();
    return pictures.map((entry) => toPicture(entry));
  }

  save(picture) {
    this.unsaved.add(picture);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.saveAndSay(), PAUSE_MS);
  }

  async saveAndSay() {
    try {
      await this.saveNow();
      if (!this.isRedacting) this.say("Decisions are saved.");
    } catch (error) {
      this.say(`Not saved: ${error.message}`);
    }
  }

  // Ends when all is saved, also what was on its way before.
  saveNow() {
    clearTimeout(this.timer);
    this.saving = this.saving.catch(() => {}).then(() => this.postUnsaved());
    return this.saving;
  }

  async postUnsaved() {
    for (const picture of [...this.unsaved]) {
      this.unsaved.delete(picture);
      try {
        await post(`/v1/review/${picture.number}/edits`, toEdits(picture));
      } catch (error) {
        this.unsaved.add(picture);
        throw error;
      }
    }
  }

  async redactAgain() {
    if (this.isRedacting) return;
    this.isRedacting = true;
    this.say("Redacting again …");
    try {
      await this.saveNow();
      const { text } = await (await post("/v1/review/redact", {})).json();
      this.say(text);
    } catch (error) {
      this.say(error.message);
    } finally {
      this.isRedacting = false;
    }
  }
}

function post(address, value) {
  const headers = { "Content-Type": "application/json" };
  return fetchChecked(address, { method: "POST", headers, body: JSON.stringify(value) });
}

function toPicture({ number, name, problem, detections, sizes, film, edits }) {
  const picture = new Picture(null, name, Boolean(film));
  picture.number = number;
  if (problem) {
    picture.state = "failed";
    picture.problem = problem;
    return picture;
  }
  picture.takeFound({ detections, sizes, film });
  picture.state = "ready";
  picture.fetchFile = async () => (await fetchChecked(`/v1/review/${number}/original`)).blob();
  takeEdits(picture, edits);
  return picture;
}

function takeEdits(picture, edits) {
  const decided = new Map();
  const drawn = [];
  picture.otherEdits = [];
  for (const edit of edits) {
    const object = edit.remove && picture.found.find((one) => one.members.some((member) => means(edit, member)));
    if (object) decided.set(object.id, false);
    else if (edit.add && edit.frame === undefined && !edit.span && !edit.add.polygon && !edit.add.rest) {
      drawn.push(drawnObject(edit.add, undefined, edit.kind));
    } else picture.otherEdits.push(edit);
  }
  picture.edits = { decided, drawn };
}

function means({ remove, kind, frame, span }, member) {
  if (span) return false; // of a film, for a part of it
  if (remove.track !== undefined) return member.kind === kind && member.track === remove.track;
  const box = [member.x_min, member.y_min, member.x_max, member.y_max];
  return member.kind === kind && (member.frame ?? 0) === (frame ?? 0) && iou(box, remove.box) >= SAME_FROM;
}

// As edits.yaml has them, without the name of the picture.
function toEdits(picture) {
  const hasFrames = picture.sizes.length > 1 || picture.isFilm;
  const { decided, drawn } = picture.edits;
  const visible = picture.found.filter((object) => !object.isMore && decided.get(object.id) === false);
  const removedTracks = visible
    .filter((object) => object.track !== undefined)
    .map(({ track, kind }) => ({ remove: { track }, kind }));
  const removed = visible
    .filter((object) => object.track === undefined)
    .flatMap((object) => (picture.isFilm ? object.members.slice(0, 1) : object.members))
    .map(({ x_min, y_min, x_max, y_max, kind, frame }) => ({
      remove: { box: [x_min, y_min, x_max, y_max] },
      kind,
      ...(hasFrames ? { frame: frame ?? 0 } : {}),
    }));
  const added = drawn
    .filter((object) => decided.get(object.id) !== false)
    .map(({ place, kind }) => ({ add: place, kind }));
  const more = picture.found
    .filter((object) => object.isMore && decided.get(object.id))
    .flatMap((object) => object.members)
    .map((entry) => ({
      add: { box: boxOf(entry) },
      kind: entry.kind,
      ...(hasFrames ? { frame: entry.frame ?? 0 } : {}),
    }));
  return [...picture.otherEdits, ...removedTracks, ...removed, ...added, ...more];
}
