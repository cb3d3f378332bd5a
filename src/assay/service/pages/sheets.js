"use strict";
// Rows of CSV, piece by piece, as the service reads and writes them (RFC 4180).
class Rows {
  constructor(mark, take) {
    Object.assign(this, { mark, take, row: [], cell: "", quoted: false, closing: false, bare: true, ended: false });
  }

  feed(text) {
    for (let place = 0; place < text.length; place += 1) this.read(text[place]);
  }

  read(character) {
    if (this.quoted && !this.closing) {
      if (character === '"') this.closing = true;
      else this.cell += character;
      return;
    }
    if (this.closing && character === '"') {
      this.cell += character;
      this.closing = false;
      return;
    }
    if (this.closing) this.quoted = this.closing = false;
    if (character === "\n" && this.ended) {
      this.ended = false;
      return;
    }
    this.ended = character === "\r";
    if (character === '"' && this.bare) this.quoted = true;
    else if (character === this.mark) this.endCell();
    else if (character === "\n" || character === "\r") this.endRow();
    else this.cell += character;
    this.bare = character === this.mark || character === "\n" || character === "\r";
  }

  endCell() {
    this.row.push(this.cell);
    this.cell = "";
  }

  endRow() {
    if (!this.row.length && !this.cell) return;
    this.endCell();
    this.take(this.row);
    this.row = [];
  }
}

const MARKS = [",", ";", "\t", "|"];

// The separator that the header has most often outside quotes, and where the table begins.
function separatorOf(name, text) {
  const said = /^sep=(.)(?:\r\n|\r|\n)/i.exec(text);
  if (said) return [said[1], said[0].length];
  if (/\.tsv$/i.test(name)) return ["\t", 0];
  const bare = text.split(/[\r\n]/, 1)[0].replace(/"[^"]*("|$)/g, "");
  const counts = MARKS.map((mark) => bare.split(mark).length);
  return [MARKS[counts.indexOf(Math.max(...counts))], 0];
}

const PREVIEW_BYTES = 256 * 1024;
const PREVIEW_ROWS = 5;

async function beginning(file) {
  const bytes = new Uint8Array(await file.slice(0, PREVIEW_BYTES).arrayBuffer());
  const [first, second] = bytes;
  const wide = { 0xfffe: "utf-16le", 0xfeff: "utf-16be" }[first * 256 + second];
  return new TextDecoder(wide ?? "utf-8").decode(bytes);
}

// What a file begins with: its columns, its first rows, and about how many rows there are. Null for a file
// that only the service can read.
async function glance(file) {
  const whole = file.size <= PREVIEW_BYTES;
  const rows = /\.(csv|tsv)$/i.test(file.name) ? glanceAtCells(file.name, await beginning(file), whole)
    : /\.(jsonl|ndjson)$/i.test(file.name) ? glanceAtLines(await beginning(file)) : [];
  if (!rows.length) return null;
  const [columns, ...others] = rows;
  const seen = Math.min(1, PREVIEW_BYTES / file.size);
  return { columns, rows: others.slice(0, PREVIEW_ROWS), about: Math.max(1, Math.round(others.length / seen)) };
}

function glanceAtCells(name, text, whole) {
  const rows = [];
  const [mark, from] = separatorOf(name, text);
  const reader = new Rows(mark, (row) => rows.push(row));
  reader.feed(text.slice(from));
  if (whole) reader.endRow();
  return rows;
}

function glanceAtLines(text) {
  const records = text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  }).filter((record) => record && typeof record === "object" && !Array.isArray(record));
  if (!records.length) return [];
  const columns = Object.keys(records[0]);
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value) ?? "");
  return [columns, ...records.map((record) => columns.map((name) => shown(record[name])))];
}

// Counts the rows of an answer by what was decided, as they come.
class Counts {
  constructor(type) {
    this.rows = this.errors = 0;
    this.labels = new Map();
    this.known = !type.includes("parquet");
    this.lines = type.includes("ndjson");
    this.reader = null;
    this.rest = "";
    this.places = null;
  }

  feed(text) {
    if (this.lines) this.feedLines(text);
    else if (this.known) this.feedCells(text);
  }

  feedLines(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) {
      const { assay_label: label, assay_error: error } = JSON.parse(line);
      this.count(label, error);
    }
  }

  feedCells(text) {
    this.reader ??= new Rows(separatorOf("", text)[0], (row) => this.takeRow(row));
    this.reader.feed(text);
  }

  takeRow(row) {
    if (this.places) this.count(row[this.places[0]], row[this.places[1]]);
    else this.places = [row.indexOf("assay_label"), row.indexOf("assay_error")];
  }

  count(label, error) {
    this.rows += 1;
    if (error) this.errors += 1;
    else this.labels.set(label, (this.labels.get(label) ?? 0) + 1);
  }
}
