// One picture in view: original and result over each other, outlines above, and what a pointer does there.

import { boxOf, drawnObject } from "./picture.js";

const SVG = "http://www.w3.org/2000/svg";
const SHORTEST_DRAG_PX = 4; // shorter ones are clicks

export class Stage {
  // elements: {stage, pictures: {before, after}, films: {before, after}, outlines, scroller, unseen};
  // onPick(object) and onDraw(object) tell what a pointer did.
  constructor(elements, { onPick, onDraw }) {
    Object.assign(this, elements, elements.pictures);
    this.onPick = onPick;
    this.onDraw = onDraw;
    this.tool = "select";
    this.brushShare = 0.05;
    this.factor = 1;
    this.frame = 0;
    this.drag = null;
    for (const { before } of [this.pictures, this.films]) {
      before.addEventListener("error", () => before === this.before && before.src && this.showUnseen(true));
    }
    this.outlines.addEventListener("pointerdown", (event) => this.begin(event));
    this.outlines.addEventListener("pointermove", (event) => this.go(event));
    this.outlines.addEventListener("pointerup", (event) => this.end(event));
    this.outlines.addEventListener("pointercancel", () => this.cancel());
  }

  showUnseen(isUnseen) {
    this.unseen.hidden = !isUnseen;
    this.before.hidden = isUnseen;
  }

  // url: of the original; size: width and height of the frame.
  show(url, [width, height], isFilm) {
    this.clear();
    Object.assign(this, isFilm ? this.films : this.pictures);
    this.size = [width, height];
    this.frame = 0;
    this.outlines.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.stage.style.aspectRatio = `${width} / ${height}`;
    this.zoom(this.factor);
    this.showUnseen(false);
    this.before.src = url;
  }

  // Nothing is in view.
  clear() {
    this.showResult(null);
    this.before.removeAttribute("src");
    this.before.hidden = true;
    if (this.before.load) this.before.load();
  }

  showResult(url) {
    this.after.hidden = url === null || !this.unseen.hidden;
    if (url === null) this.after.removeAttribute("src");
    else if (this.after.src !== url) this.after.src = url;
  }

  // share: how much of the result is seen, from the left, 0..1.
  compare(share) {
    this.after.style.clipPath = `inset(0 ${(1 - share) * 100}% 0 0)`;
  }

  // 1 shows all of the picture. What is in the middle stays there.
  zoom(factor) {
    this.factor = factor;
    const { scroller, stage } = this;
    const share = this.size ? this.size[0] / this.size[1] : 1;
    const x = (scroller.scrollLeft + scroller.clientWidth / 2) / (scroller.scrollWidth || 1);
    const y = (scroller.scrollTop + scroller.clientHeight / 2) / (scroller.scrollHeight || 1);
    stage.style.width = `min(${factor * 100}%, ${factor * share} * var(--room))`;
    scroller.scrollTo({
      left: x * scroller.scrollWidth - scroller.clientWidth / 2,
      top: y * scroller.scrollHeight - scroller.clientHeight / 2,
    });
  }

  setTool(tool) {
    this.tool = tool;
    this.outlines.classList.toggle("draws", tool !== "select");
  }

  // objects: [{object, isHidden, isSelected}]
  outline(objects) {
    this.shown = objects;
    this.outlines.replaceChildren(...objects.flatMap((each) => this.shapesOf(each)));
  }

  shapesOf({ object, isHidden, isSelected }) {
    const members = object.members.filter((entry) => object.place || (entry.frame ?? 0) === this.frame);
    return members.flatMap((entry) =>
      ["halo", "line"].map((layer) => {
        const shape = toShape(object.place ?? entry.outline ?? { box: boxOf(entry) });
        shape.setAttribute("class", `${layer} ${isHidden ? "is-hidden" : "is-visible"} ${isSelected ? "is-selected" : ""}`);
        return shape;
      }),
    );
  }

  scrollTo(object) {
    const entry = object.members.find((one) => (one.frame ?? 0) === this.frame) ?? object.members[0];
    const [left, top, right, bottom] = boxOf(entry);
    const scale = this.stage.clientWidth / this.size[0];
    this.scroller.scrollTo({
      left: ((left + right) / 2) * scale - this.scroller.clientWidth / 2,
      top: ((top + bottom) / 2) * scale - this.scroller.clientHeight / 2,
    });
  }

  placeOf(event) {
    const area = this.outlines.getBoundingClientRect();
    const share = (value, begin, length) => Math.min(1, Math.max(0, (value - begin) / length));
    return [
      round(share(event.clientX, area.left, area.width) * this.size[0]),
      round(share(event.clientY, area.top, area.height) * this.size[1]),
    ];
  }

  begin(event) {
    if (event.button !== 0 || this.drag || !this.size) return;
    this.drag = { points: [this.placeOf(event)], from: [event.clientX, event.clientY], isLong: false };
    if (this.tool === "select") return;
    event.preventDefault();
    this.outlines.setPointerCapture(event.pointerId);
  }

  go(event) {
    if (!this.drag) return;
    const [x, y] = this.drag.from;
    this.drag.isLong ||= Math.hypot(event.clientX - x, event.clientY - y) >= SHORTEST_DRAG_PX;
    if (this.tool === "select") return;
    this.drag.points.push(this.placeOf(event));
    this.sketch();
  }

  end(event) {
    if (!this.drag) return;
    this.drag.points.push(this.placeOf(event));
    const { points, isLong } = this.drag;
    this.cancel();
    if (this.tool === "select") {
      const object = isLong ? undefined : this.objectAt(points[0]);
      if (object) this.onPick(object);
      return;
    }
    const place = isLong || this.tool === "brush" ? this.toPlace(points) : null;
    if (place) this.onDraw(drawnObject(place));
  }

  cancel() {
    this.drag = null;
    this.outlines.querySelector(".sketch")?.remove();
  }

  sketch() {
    this.outlines.querySelector(".sketch")?.remove();
    const place = this.toPlace(this.drag.points);
    if (!place) return;
    const shape = toShape(place);
    shape.setAttribute("class", "sketch");
    this.outlines.append(shape);
  }

  // What a drag with the tool means; null for nothing.
  toPlace(points) {
    if (this.tool === "brush") {
      return { stroke: { points: thinned(points), width: round(Math.min(...this.size) * this.brushShare) || 1 } };
    }
    const [first, last] = [points[0], points[points.length - 1]];
    const [left, right] = [Math.min(first[0], last[0]), Math.max(first[0], last[0])];
    const [top, bottom] = [Math.min(first[1], last[1]), Math.max(first[1], last[1])];
    if (right - left < 1 || bottom - top < 1) return null;
    if (this.tool === "box") return { box: [left, top, right, bottom] };
    return { ellipse: { center: [(left + right) / 2, (top + bottom) / 2], semi_axes: [(right - left) / 2, (bottom - top) / 2] } };
  }

  // The smallest object there.
  objectAt([x, y]) {
    let best;
    let bestArea = Infinity;
    for (const { object } of this.shown ?? []) {
      for (const entry of object.members) {
        if (!object.place && (entry.frame ?? 0) !== this.frame) continue;
        const [left, top, right, bottom] = boxOf(entry);
        const area = (right - left) * (bottom - top);
        if (x >= left && x <= right && y >= top && y <= bottom && area < bestArea) {
          best = object;
          bestArea = area;
        }
      }
    }
    return best;
  }
}

function toShape({ box, ellipse, stroke, polygon }) {
  if (box) {
    const [left, top, right, bottom] = box;
    return element("rect", { x: left, y: top, width: right - left, height: bottom - top });
  }
  if (ellipse) {
    const { center: [cx, cy], semi_axes: [rx, ry], degrees } = ellipse;
    return element("ellipse", { cx, cy, rx, ry, transform: `rotate(${degrees ?? 0} ${cx} ${cy})` });
  }
  const points = (polygon ?? stroke?.points ?? []).map((point) => point.join(",")).join(" ");
  if (polygon) return element("polygon", { points });
  const line = element("polyline", { points: stroke?.points.length === 1 ? `${points} ${points}` : points });
  line.style.strokeWidth = `${stroke?.width ?? 1}px`;
  line.dataset.brush = "";
  return line;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Without points that lie on each other.
function thinned(points) {
  return points.filter(([x, y], index) => index === 0 || x !== points[index - 1][0] || y !== points[index - 1][1]);
}

// A tenth of a pixel is fine enough.
function round(value) {
  return Math.round(value * 10) / 10;
}
