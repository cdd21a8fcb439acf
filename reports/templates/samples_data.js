"use strict";
// Data files are scripts that call regionbenchData: a page from file:// may load those, not fetch.

const arrived = new Map();
const loading = new Map();
const KEPT = 200;

function regionbenchData(content) {
  arrived.set(document.currentScript.src, content);
}

function load(path) {
  const url = new URL(path, document.baseURI).href;
  if (loading.has(url)) return loading.get(url);
  const loaded = new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const end = (error) => {
      const content = arrived.get(url);
      arrived.delete(url);
      script.remove();
      if (content !== undefined) return resolve(content);
      loading.delete(url);
      return reject(error);
    };
    script.addEventListener("load", () => end(new Error(`${path} is damaged; write the site anew`)));
    script.addEventListener("error", () => end(new Error(`${path} cannot be loaded`)));
    script.src = url;
    document.head.append(script);
  });
  loading.set(url, loaded);
  if (loading.size > KEPT) loading.delete(loading.keys().next().value);
  return loaded;
}

const arrays = { i2: Int16Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

function numbers(column) {
  const text = atob(column.data);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return new arrays[column.kind](bytes.buffer);
}

const NO_SCORE = -32768;
const MOST = 10000; // A score of 1, in ten-thousandths.

function ordered(count, highest, keyOf) {
  // Positions by ascending key in 0…highest, equal keys as they stand: a counting sort.
  const starts = new Uint32Array(highest + 2);
  const keys = new Uint16Array(count);
  for (let at = 0; at < count; at += 1) {
    keys[at] = keyOf(at);
    starts[keys[at] + 1] += 1;
  }
  for (let key = 1; key < starts.length; key += 1) starts[key] += starts[key - 1];
  const order = new Uint32Array(count);
  for (let at = 0; at < count; at += 1) {
    order[starts[keys[at]]] = at;
    starts[keys[at]] += 1;
  }
  return order;
}

class Run {
  constructor(folder, index) {
    Object.assign(this, {
      folder,
      model: index.model,
      protocol: index.protocol,
      encoder: index.encoder,
      metrics: index.metrics,
      count: index.regions,
      digest: index.regions_digest,
      shardSize: index.shard_size,
      scores: numbers(index.scores),
      categories: index.categories,
      category: numbers(index.category),
      predicted: index.predicted && numbers(index.predicted),
      statuses: index.statuses,
      status: numbers(index.status),
      answer: numbers(index.answer),
    });
    const { scores, count } = this;
    this.worst = ordered(count, 2 * MOST + 1, (at) => (scores[at] === NO_SCORE ? 2 * MOST + 1 : scores[at] + MOST));
    this.best = ordered(count, 2 * MOST + 1, (at) => (scores[at] === NO_SCORE ? 2 * MOST + 1 : MOST - scores[at]));
    // Shards hold regions worst first.
    this.places = new Uint32Array(count);
    this.worst.forEach((at, place) => { this.places[at] = place; });
  }

  static async open(folder) {
    return new Run(folder, await load(`${folder}/index.js`));
  }

  async region(at) {
    const number = Math.floor(this.places[at] / this.shardSize);
    const row = this.places[at] % this.shardSize;
    const shard = await load(`${this.folder}/${String(number).padStart(4, "0")}.js`);
    return {
      region: shard.region[row],
      image: shard.image[row],
      reference: { text: shard.reference[row], length: shard.cut.reference[row] },
      answer: { text: shard.text[row], length: shard.cut.text[row] },
      scores: shard.scores.map((values) => values[row]),
    };
  }
}

function difference(one, other, at) {
  // What the first run is better by; NaN where one of them has no score.
  if (one.scores[at] === NO_SCORE || other.scores[at] === NO_SCORE) return NaN;
  return one.scores[at] - other.scores[at];
}

function unlike(one, other) {
  // In what two runs' scores differ besides the answers; nothing is subtracted then.
  const told = [];
  if (one.metrics[0] !== other.metrics[0]) told.push("main metric");
  if (one.protocol !== other.protocol) told.push("protocol");
  if (one.encoder !== other.encoder) told.push("encoder");
  return told;
}

function byDifference(one, other) {
  return ordered(one.count, 2 * MOST + 1, (at) => {
    const found = difference(one, other, at);
    return Number.isNaN(found) ? 2 * MOST + 1 : 2 * MOST - Math.abs(found);
  });
}

function named(run, text) {
  // Which categories a text means: the one of that name, else all that hold its words.
  const exact = run.categories.indexOf(text);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return Uint8Array.from(run.categories, (name, at) => {
    if (exact >= 0) return at === exact ? 1 : 0;
    const low = name.toLowerCase();
    return words.every((word) => low.includes(word)) ? 1 : 0;
  });
}

function chosen(run, other, choices) {
  // The regions that fit the choices, in the order chosen.
  const tests = [];
  const { scores, status, category, predicted } = run;
  const answered = run.statuses.indexOf("answered");
  if (choices.show === "errors") tests.push((at) => status[at] !== answered);
  if (choices.show === "wrong") tests.push((at) => status[at] === answered && scores[at] < MOST && scores[at] !== NO_SCORE);
  if (choices.category) {
    const fits = named(run, choices.category);
    tests.push((at) => fits[category[at]] === 1);
  }
  if (choices.predicted && predicted) {
    const fits = named(run, choices.predicted);
    tests.push((at) => fits[predicted[at]] === 1);
  }
  const comparable = other && unlike(run, other).length === 0;
  if (other) {
    const outcome = comparable ? choices.outcome : "";
    const scored = (at) => comparable && scores[at] !== other.scores[at];
    if (outcome === "won") tests.push((at) => difference(run, other, at) > 0);
    else if (outcome === "lost") tests.push((at) => difference(run, other, at) < 0);
    else tests.push((at) => run.answer[at] !== other.answer[at] || scored(at));
  }
  let order = run.worst;
  if (choices.order === "best") order = run.best;
  if (choices.order === "difference" && comparable) order = byDifference(run, other);
  if (!tests.length) return order;
  return order.filter((at) => tests.every((test) => test(at)));
}
