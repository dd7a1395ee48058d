// Names of files, safe in a zip file and on every disk.

const LONGEST = 200;

// A relative path with forward slashes; never one that leads out of a folder.
export function cleanName(name) {
  const parts = name.normalize("NFC").split(/[/\\]/).map(cleanPart).filter((part) => part);
  return parts.join("/") || "picture";
}

function cleanPart(part) {
  // Control characters, those that turn text around, and what file systems do not take.
  const plain = part.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:"|?*]/g, "_").trim();
  if (/^\.*$/.test(plain)) return "";
  const dot = plain.lastIndexOf(".");
  const end = dot > 0 ? plain.slice(dot).slice(0, 20) : "";
  return plain.length > LONGEST ? plain.slice(0, LONGEST - end.length) + end : plain.replace(/[. ]+$/, "_");
}

// The name itself, or one with a number if it is taken.
export function freeName(name, taken) {
  const slash = name.lastIndexOf("/");
  const dot = name.lastIndexOf(".") > slash + 1 ? name.lastIndexOf(".") : name.length;
  let free = name;
  for (let number = 2; taken.has(free.toLowerCase()); number += 1) {
    free = `${name.slice(0, dot)} (${number})${name.slice(dot)}`;
  }
  return free;
}

// Of the members of a zip file: those of a finished folder may be any that a disk takes.
export function memberNames(names) {
  const taken = new Set();
  return names.map((name) => {
    const free = freeName(cleanName(name), taken);
    taken.add(free.toLowerCase());
    return free;
  });
}

// The names of the detections of pictures, as the command line gives them: a.jpg has a.json, but a.jpg.json beside a.png.
export function recordNames(names) {
  const stem = (name) => (name.lastIndexOf(".") > name.lastIndexOf("/") + 1 ? name.slice(0, name.lastIndexOf(".")) : name);
  const counts = new Map();
  for (const name of names) counts.set(stem(name).toLowerCase(), (counts.get(stem(name).toLowerCase()) ?? 0) + 1);
  const taken = new Set(names.map((name) => name.toLowerCase()));
  return names.map((name) => {
    const key = stem(name).toLowerCase();
    return `${counts.get(key) === 1 && !taken.has(key) ? stem(name) : name}.json`;
  });
}
