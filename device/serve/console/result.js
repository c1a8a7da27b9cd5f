// What a training says of itself: how well, what would help, what is taken for what.
import { bar, confusion, curve, fill, make, percent } from "./draw.js";

export function result(done) {
  const best = done.evaluation.headline, all = [];
  if (best.accuracy !== null) {
    const gets = best.answers, share = gets ? gets.right : best.accuracy;
    const [low, high] = (gets ? gets.right_interval95 : best.interval95).map(percent);
    const score = make("div", "", { className: "score" }), words = make("div");
    const where = best.kind === "session" ? "on held-out sessions" : "on held-out takes";
    words.append(make("div", `${gets ? "answered correctly" : "right"} ${where}`),
      make("small", `95 % interval ${low} to ${high}; by ${best.method}`));
    score.append(make("strong", percent(share)), words);
    all.push(score);
    if (gets) {
      const refused = percent(Math.max(0, 1 - gets.right - gets.wrong));
      all.push(make("p", `“None of these” for ${refused}, a wrong answer for ${percent(gets.wrong)}; `
        + `${percent(best.accuracy)} right if it always answered.`, { className: "quiet" }));
    }
    const naive = done.evaluation.random_split_accuracy;
    if (naive !== null) all.push(make("p", `A naive random split would have claimed ${percent(naive)}.`, { className: "quiet" }));
  }
  const said = [...done.cautions, ...done.advice];
  if (said.length) {
    const list = make("ul", "", { className: "advice" });
    list.append(...said.map((line) => make("li", line)));
    all.push(list);
  }
  const recall = Object.entries(done.evaluation.recall).filter(([, value]) => value !== null);
  if (recall.length) {
    all.push(make("h3", "Recall of each class"));
    for (const [label, value] of recall) {
      const one = bar(label);
      fill(one, value);
      all.push(one);
    }
    const wide = make("div", "", { className: "wide" });
    wide.append(confusion(done.evaluation.classes, done.evaluation.confusion));
    all.push(make("h3", "Confusion matrix"), wide);
  }
  if (done.curve.length > 1) {
    all.push(curve("training loss", done.curve.map((point) => point[1])));
    all.push(curve("training accuracy", done.curve.map((point) => point[2]), { most: 1, told: percent }));
  }
  return all;
}
