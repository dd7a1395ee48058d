// What the page asks of the server.

const MOST_TRIES = 30;

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
    const { title, detail } = await response.json();
    return detail ? `${title}: ${detail}` : title;
  } catch {
    return `The server answered with the status ${response.status}.`;
  }
}

// As fetch does, but says how much of the upload has gone.
function post(address, form, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const aborted = () => new DOMException("not wanted any more", "AbortError");
    if (signal?.aborted) {
      reject(aborted());
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "blob";
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
