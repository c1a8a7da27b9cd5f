// TensorFlow.js in Node on its WebAssembly back end: the recipe, and the package knn-classifier.
const path = require('path');
const { createRequire } = require('module');
const fs = require('fs');
const readline = require('readline');

const within = createRequire(path.join(__dirname, '..', '..', '..', '.venv-peers', 'node', 'package.json'));
const answers = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
const tf = within('@tensorflow/tfjs');
const wasm = within('@tensorflow/tfjs-backend-wasm');
const knn = within('@tensorflow-models/knn-classifier');

const UNITS = 100, EPOCHS = 20, RATE = 1e-4, BATCH_SHARE = 0.4;
const sets = {};
let classifier = null, row = null;

async function ready() {
  if (tf.getBackend() === 'wasm') return;
  wasm.setWasmPaths(path.join(path.dirname(within.resolve('@tensorflow/tfjs-backend-wasm')), '..', 'wasm-out') + path.sep);
  await tf.setBackend('wasm');
  await tf.ready();
}

async function timed(run) {
  const cpu = process.cpuUsage(), start = process.hrtime.bigint();
  const made = await run();
  const ms = Number(process.hrtime.bigint() - start) / 1e6, spent = process.cpuUsage(cpu);
  return [made, { ms, cpu_ms: (spent.user + spent.system) / 1000 }];
}

function floats(file) {
  const bytes = fs.readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function chosen(set, which) {
  const found = new Float32Array(which.length * set.values);
  which.forEach((at, i) => found.set(set.rows.subarray(at * set.values, (at + 1) * set.values), i * set.values));
  return tf.tensor2d(found, [which.length, set.values]);
}

const actions = {
  load({ name, path: file, values }) {
    sets[name] = { rows: floats(file), values };
    return { rows: sets[name].rows.length / values };
  },

  async train({ name, taught, labels, asked }) {
    await ready();
    const X = chosen(sets[name], taught), classes = Math.max(...labels) + 1;
    const [model, took] = await timed(async () => {
      const Y = tf.oneHot(tf.tensor1d(labels, 'int32'), classes).toFloat();
      const model = tf.sequential({ layers: [
        tf.layers.dense({ inputShape: [X.shape[1]], units: UNITS, activation: 'relu', kernelInitializer: 'varianceScaling', useBias: true }),
        tf.layers.dense({ units: classes, kernelInitializer: 'varianceScaling', useBias: false, activation: 'softmax' }),
      ] });
      model.compile({ optimizer: tf.train.adam(RATE), loss: 'categoricalCrossentropy' });
      await model.fit(X, Y, { batchSize: Math.floor(BATCH_SHARE * labels.length), epochs: EPOCHS, verbose: 0 });
      Y.dispose();
      return model;
    });
    const A = chosen(sets[name], asked);
    const named = tf.tidy(() => model.predict(A).argMax(1));
    const found = Array.from(await named.data());
    tf.dispose([X, A, named]);
    model.dispose();
    return { ...took, answers: found };
  },

  async remember({ path: file, values, labels, query }) {
    await ready();
    if (classifier) { classifier.dispose(); row.dispose(); }
    const rows = floats(file), classes = [...new Set(labels)].sort();
    classifier = knn.create();
    const dataset = {};
    for (const one of classes) {
      const which = labels.flatMap((label, i) => (label === one ? [i] : []));
      dataset[one] = chosen({ rows, values }, which);
    }
    classifier.setClassifierDataset(dataset);
    row = tf.tensor1d(floats(query));
    return { rows: labels.length };
  },

  async query({ calls, k }) {
    const [named, took] = await timed(async () => {
      let found;
      for (let i = 0; i < calls; i += 1) found = await classifier.predictClass(row, k);
      return found;
    });
    return { ms: took.ms / calls, cpu_ms: took.cpu_ms / calls, label: Number(named.label) };
  },
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = await actions[request.do](request);
    } catch (error) {
      answer = { error: String(error.message || error).split('\n')[0] };
    }
    answers(JSON.stringify(answer) + '\n');
  }
})();
