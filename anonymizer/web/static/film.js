// A film in view: both versions play together, and what is outlined is what is in the frame that is shown.

const SLACK_S = 0.001; // times of detections are rounded
const LONGEST_S = 0.25; // for which a frame's detections are taken for those of the next ones
const DRIFT_S = 0.08; // by which the result may be apart from the original

export class FilmView {
  // elements: {before, after, tools, play, moment, text}; onFrame(frame) tells which one is shown, -1 for one without detections.
  constructor(elements, onFrame) {
    Object.assign(this, elements);
    this.onFrame = onFrame;
    this.times = [];
    this.play.addEventListener("click", () => this.toggle());
    this.moment.addEventListener("input", () => this.seek(Number(this.moment.value)));
    this.before.addEventListener("loadedmetadata", () => {
      this.moment.max = this.before.duration || 1;
      this.tell();
    });
    for (const name of ["timeupdate", "seeked", "play", "pause", "ended"]) {
      this.before.addEventListener(name, () => this.tell());
    }
  }

  // Of the picture that is shown.
  show(picture) {
    this.tools.hidden = !picture.isFilm;
    this.before.pause();
    this.after.pause();
    this.times = picture.isFilm ? timesOf(picture.detections) : [];
    this.moment.value = 0;
    if (picture.isFilm) this.watch();
  }

  watch() {
    if (!this.before.requestVideoFrameCallback) return;
    cancelAnimationFrame(this.watching);
    const look = (_, { mediaTime }) => {
      this.tellFrame(mediaTime);
      this.watching = this.before.requestVideoFrameCallback(look);
    };
    this.before.requestVideoFrameCallback(look);
  }

  toggle() {
    if (this.before.paused) this.before.play().catch(() => {});
    else this.before.pause();
  }

  seek(seconds) {
    this.before.currentTime = seconds;
  }

  tell() {
    const now = this.before.currentTime;
    this.play.textContent = this.before.paused ? "Play" : "Pause";
    this.moment.value = now;
    this.text.textContent = `${clock(now)} of ${clock(this.before.duration || 0)}`;
    if (this.after.src) {
      if (Math.abs(this.after.currentTime - now) > DRIFT_S) this.after.currentTime = now;
      if (this.before.paused) this.after.pause();
      else this.after.play().catch(() => {});
    }
    this.tellFrame(now);
  }

  tellFrame(seconds) {
    const next = this.times.findIndex(([time]) => time > seconds + SLACK_S);
    const last = this.times[(next < 0 ? this.times.length : next) - 1];
    this.onFrame(last && seconds - last[0] <= LONGEST_S ? last[1] : -1);
  }
}

// Time and number of each frame with detections.
function timesOf(detections) {
  const times = new Map(detections.map((entry) => [entry.frame, entry.time_s]));
  return [...times].map(([frame, time]) => [time ?? 0, frame]).sort((a, b) => a[0] - b[0]);
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Frames of films as pictures, one after the other: seeking takes time.
export class Frames {
  constructor() {
    this.video = Object.assign(document.createElement("video"), { muted: true, preload: "auto" });
    this.last = Promise.resolve();
  }

  // Calls draw(video) when it shows the moment of the film at that address; not at all where the browser cannot show it.
  at(url, seconds, draw) {
    this.last = this.last.then(() => this.go(url, seconds)).then(() => draw(this.video), () => {});
  }

  go(url, seconds) {
    return new Promise((resolve, reject) => {
      const { video } = this;
      video.onseeked = resolve;
      video.onerror = reject;
      const seek = () => {
        video.currentTime = Math.min(seconds, Math.max(0, video.duration - 0.001)) + 0.0001;
      };
      if (video.dataset.url === url && video.readyState >= 1) {
        seek();
        return;
      }
      video.dataset.url = url;
      video.onloadedmetadata = seek;
      video.src = url;
    });
  }
}
