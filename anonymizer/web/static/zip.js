// Zip files (PKWARE's APPNOTE 6.3) whose members are stored as they are: pictures do not get smaller.

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
const LARGEST = 0xffffffff;
const MOST = 0xffff;
const FLAGS = 0x0800; // names are UTF-8
const FIRST_DAY = 0x21; // 1 January 1980: when a picture was worked on is nobody's business

export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

// members: [{name, content: Blob}], with names that differ.
export async function makeZip(members) {
  if (members.length > MOST) throw new Error(`A zip file holds ${MOST} files. Download fewer at a time.`);
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, content } of members) {
    const encoded = new TextEncoder().encode(name);
    const crc = crc32(new Uint8Array(await content.arrayBuffer()));
    const shared = [[2, 20], [2, FLAGS], [2, 0], [2, 0], [2, FIRST_DAY], [4, crc], [4, content.size], [4, content.size],
      [2, encoded.length], [2, 0]];
    const head = numbers([[4, 0x04034b50], ...shared]);
    directory.push(numbers([[4, 0x02014b50], [2, 20], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), encoded);
    parts.push(head, encoded, content);
    offset += head.length + encoded.length + content.size;
    if (offset > LARGEST) throw new Error("A zip file holds 4 gigabytes. Download fewer files at a time.");
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  if (offset + size > LARGEST) throw new Error("A zip file holds 4 gigabytes. Download fewer files at a time.");
  const end = numbers([[4, 0x06054b50], [2, 0], [2, 0], [2, members.length], [2, members.length], [4, size], [4, offset],
    [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// Little endian, each in so many bytes.
function numbers(pairs) {
  const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [width]) => sum + width, 0)));
  let place = 0;
  for (const [width, value] of pairs) {
    if (width === 2) view.setUint16(place, value, true);
    else view.setUint32(place, value, true);
    place += width;
  }
  return new Uint8Array(view.buffer);
}
