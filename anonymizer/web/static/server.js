// What the page asks of the server.

const MOST_TRIES = 30;
const JOB_S = 0.5; // between questions how far a job is

export class ServerError extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

// What the server looks for, from which scores on, and what may be set.
export async function fetchOffer() {
  return (await fetchChecked("/v1/settings")).json();
}

export async function fetchChecked(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("The server cannot be reached.", 0);
  }
  if (!response.ok) throw new ServerError(await problemText(response), response.status);
  return response;
}

// Answers {detections, sizes, warnings}.
export async function detect(file, settings, options) {
  const response = await postPatiently("/v1/detect", toForm(file, settings), options);
  return response.json();
}

// Answers {file: Blob, detections: Blob, warnings}.
export async function redact(file, detections, settings, options) {
  const form = toForm(file, { ...settings, answer: "form" });
  form.set("detections", new Blob([JSON.stringify(detections)], { type: "application/json" }), "detections.json");
  const response = await postPatiently("/v1/redact", form, options);
  const said = JSON.parse(response.headers.get("Anonymizer-Result") ?? "{}");
  const answer = await response.formData();
  return { file: answer.get("file"), detections: answer.get("detections"), warnings: said.warnings ?? [] };
}

// Of a film: a job, whose progress is told. Answers {detections, sizes, warnings, film, sure_from}.
export async function detectFilm(file, settings, options) {
  const { job, fetchPart } = await runJob("/v1/detect", toForm(file, settings), options);
  return { ...job, detections: await (await fetchPart("detections")).json() };
}

// As redact, for a film, and as a job.
export async function redactFilm(file, detections, sureFrom, settings, options) {
  const scores = Object.entries(sureFrom).map(([kind, score]) => `${kind}=${score}`);
  const form = toForm(file, { ...settings, "sure-from": scores.join(",") });
  form.set("detections", new Blob([JSON.stringify(detections)], { type: "application/json" }), "detections.json");
  const { job, fetchPart } = await runJob("/v1/redact", form, options);
  const result = await (await fetchPart("result")).blob();
  return { file: result, detections: await (await fetchPart("detections")).blob(), warnings: job.warnings };
}

const running = new Set(); // addresses of jobs

addEventListener("pagehide", () => running.forEach(forget));

function forget(address) {
  running.delete(address);
  fetch(address, { method: "DELETE", credentials: "same-origin", keepalive: true }).catch(() => {});
}

// onJob is told of the job, twice a second; an abort of the signal ends it, also on the server.
async function runJob(path, form, options) {
  const response = await postPatiently(path, form, { ...options, headers: { Prefer: "respond-async" } });
  let job = await response.json();
  const address = job.links.self;
  running.add(address);
  try {
    while (["waiting", "working"].includes(job.state)) {
      options.onJob?.(job);
      await wait(JOB_S, options.signal);
      job = await (await fetchChecked(address, { signal: options.signal })).json();
    }
    if (job.state === "failed") throw new ServerError(textOf(job.problem), job.problem.status);
    return { job, fetchPart: (part) => fetchChecked(job.links[part], { signal: options.signal }) };
  } catch (error) {
    forget(address);
    throw error;
  } finally {
    running.delete(address);
  }
}

function toForm(file, settings) {
  const form = new FormData();
  for (const [key, value] of Object.entries(settings)) form.set(key, value);
  form.set("file", file, "picture"); // its name is nobody's business
  return form;
}

// Waits and tries again while the server has too much to do.
async function postPatiently(address, form, options = {}) {
  for (let tries = 1; ; tries += 1) {
    const response = await post(address, form, options);
    if (response.ok) return response;
    const isBusy = response.status === 429 || response.status === 503;
    if (!isBusy || tries === MOST_TRIES) throw new ServerError(await problemText(response), response.status);
    options.onWait?.();
    await wait(Math.min(60, Number(response.headers.get("Retry-After")) || 2), options.signal);
  }
}

async function problemText(response) {
  try {
    return textOf(await response.json());
  } catch {
    return `The server answered with the status ${response.status}.`;
  }
}

function textOf({ title, detail }) {
  return detail ? `${title}: ${detail}` : title;
}

// As fetch does, but says how much of the upload has gone.
function post(address, form, { signal, onProgress, headers }) {
  return new Promise((resolve, reject) => {
    const aborted = () => new DOMException("not wanted any more", "AbortError");
    if (signal?.aborted) {
      reject(aborted());
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "blob";
    for (const [name, value] of Object.entries(headers ?? {})) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onload = () => resolve(toResponse(request));
    request.onerror = () => reject(new ServerError("The server cannot be reached.", 0));
    request.onabort = () => reject(aborted());
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

function toResponse(request) {
  const headers = new Headers();
  for (const name of ["Content-Type", "Retry-After", "Anonymizer-Result"]) {
    const value = request.getResponseHeader(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(request.response, { status: request.status, headers });
}

function wait(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("not wanted any more", "AbortError"));
    });
  });
}
