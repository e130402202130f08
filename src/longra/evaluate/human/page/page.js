"use strict";
// The page knows tasks by their numbers and outputs by their side. Who wrote what stays with the server.

const CHOICES = { left: "ArrowLeft", right: "ArrowRight", tie: null, both_bad: null };
const SETTLE = 250; // milliseconds in which a key still belongs to the task before
const $ = id => document.getElementById(id);

let words, texts, study, rater, tasks, answers, at, language;
let task = null; // what is shown
let draft = {}; // of a rating
let shownAt = 0, busy = false;

async function ask(path, body) {
  let response;
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try { response = await fetch(path, options); } catch { throw new Error(words.silent); }
  if (!response.ok) throw new Error(response.status === 403 ? words.silent : (await response.json()).error + ".");
  return response.json();
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

function isChinese(text) {
  const letters = text.match(/\p{L}/gu) ?? [];
  return 2 * letters.filter(letter => /\p{Script=Han}/u.test(letter)).length > letters.length;
}

function textBox(element, text) {
  element.lang = isChinese(text) ? "zh" : "en";
  element.replaceChildren(make("p", { textContent: text || words.empty }));
  element.scrollTop = 0;
  return element;
}

// Words

function speak(name) {
  language = name;
  words = texts[name];
  document.documentElement.lang = name;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  const rating = study.mode === "rating";
  document.title = document.querySelector("#start h1").textContent = rating ? words.title_rating : words.title;
  $("how").textContent = words[study.mode];
  $("how").nextElementSibling.matches("dl") && $("how").nextElementSibling.remove();
  if (rating) $("how").after(make("dl", {}, ...study.criteria.flatMap(name => {
    const [title, meaning] = criterion(name);
    return [make("dt", { textContent: title }), make("dd", { textContent: meaning || "\u00a0" })];
  })));
  say("");
  if (task) draw();
  showProgress();
}

function criterion(name) {
  return words.criteria[name.toLowerCase()] ?? [name, ""];
}

// Where we are

async function begin(event) {
  event.preventDefault();
  try {
    const progress = await ask("progress?" + new URLSearchParams({ rater: $("name").value }));
    ({ rater, tasks, answers } = progress);
    $("refused").textContent = "";
    await go(nextOpen(0));
  } catch (error) {
    $("refused").textContent = error.message;
  }
}

function nextOpen(from) {
  const open = index => !(tasks[index] in answers);
  const ahead = tasks.findIndex((_, index) => index >= from && open(index));
  if (ahead >= 0) return ahead;
  const behind = tasks.findIndex((_, index) => open(index));
  return behind >= 0 ? behind : tasks.length;
}

async function go(index) {
  if (index < 0 || index > tasks.length) return;
  const next = index < tasks.length ? await ask("task?" + new URLSearchParams({ rater, number: tasks[index] })) : null;
  at = index;
  task = next;
  const before = task && answers[tasks[at]];
  draft = before && study.mode === "rating" ? { ...before } : {};
  document.body.dataset.at = task ? "judge" : "end";
  if (task) draw();
  showProgress();
  shownAt = performance.now();
}

async function turn(index) {
  if (busy || index < 0 || index > tasks.length) return;
  busy = true;
  try {
    await go(index);
    say(task && tasks[at] in answers ? words.again : "");
  } catch (error) {
    say(words.unread.replace("{why}", error.message), true);
  }
  busy = false;
}

async function save(answer) {
  if (busy || !task || performance.now() - shownAt < SETTLE) return;
  busy = true;
  let failed = words.failed;
  try {
    await ask("votes", { rater, task: tasks[at], answer });
    failed = words.unread;
    answers[tasks[at]] = answer;
    await go(nextOpen(at + 1));
    say(words.saved);
  } catch (error) {
    say(failed.replace("{why}", error.message), true);
  }
  busy = false;
}

// What is seen

function showProgress() {
  if (!tasks) return;
  const done = tasks.filter(number => number in answers).length;
  $("bar").max = tasks.length;
  $("bar").value = done;
  $("count").textContent = words.count.replace("{done}", done).replace("{all}", tasks.length);
  $("who").textContent = rater;
  $("back").disabled = at === 0;
  $("forward").hidden = !(tasks[at] in answers);
}

function draw() {
  $("prompt").hidden = !task.prompt;
  textBox($("prompt").querySelector(".text"), task.prompt);
  const names = language === "zh" ? "甲乙" : "AB";
  $("texts").replaceChildren(...task.texts.map((text, side) =>
    make("article", {}, make("h2", { textContent: names[side] }), textBox(make("div", { className: "text", tabIndex: 0 }), text))));
  $("answers").replaceChildren(...(study.mode === "pairwise" ? choiceButtons() : ratingRows()));
}

function choiceButtons() {
  return Object.entries(CHOICES).map(([choice, arrow], index) => {
    const keys = arrow === "ArrowLeft" ? " ←" : arrow === "ArrowRight" ? " →" : "";
    const button = make("button", { type: "button", id: choice }, words[choice], make("kbd", { textContent: index + 1 + keys }));
    button.setAttribute("aria-pressed", answers[tasks[at]] === choice);
    button.addEventListener("click", () => save(choice));
    return button;
  });
}

function ratingRows() {
  const now = study.criteria.find(name => !(name in draft));
  const rows = study.criteria.map(name => {
    const [title, meaning] = criterion(name);
    const row = make("fieldset", { className: name === now ? "now" : "" },
      make("p", {}, title, " ", make("small", { textContent: meaning })));
    for (const score of [1, 2, 3, 4, 5]) {
      const button = make("button", { type: "button", textContent: score, ariaLabel: `${title}: ${score}` });
      button.setAttribute("aria-pressed", draft[name] === score);
      button.addEventListener("click", () => rate(name, score));
      row.append(button);
    }
    return row;
  });
  const button = make("button", { type: "button", id: "save", disabled: now !== undefined }, words.save, make("kbd", { textContent: "Enter" }));
  button.addEventListener("click", () => save(draft));
  return [...rows, button];
}

function rate(name, score) {
  if (performance.now() - shownAt < SETTLE) return;
  draft[name] = score;
  drawRating();
}

function drawRating() {
  $("answers").replaceChildren(...ratingRows());
  (document.querySelector(".now") ?? $("save")).scrollIntoView({ block: "nearest" });
}

// Keys

function press(event) {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || document.body.dataset.at === "start") return;
  const key = event.key.toLowerCase();
  if (key === "u") return turn(at - 1);
  if (key === "f") return $("forward").hidden || turn(at + 1);
  if (!task) return;
  if (study.mode === "pairwise") {
    const choice = Object.keys(CHOICES).find((name, index) => event.key === String(index + 1) || event.key === CHOICES[name]);
    if (choice) { event.preventDefault(); save(choice); }
  } else if (/^[1-5]$/.test(event.key)) {
    const now = study.criteria.find(name => !(name in draft));
    if (now) rate(now, Number(event.key));
  } else if (key === "backspace") {
    const last = study.criteria.findLast(name => name in draft);
    delete draft[last];
    drawRating();
  } else if (key === "enter" && !$("save").disabled) {
    event.preventDefault();
    save(draft);
  }
}

async function open() {
  texts = await (await fetch("words.json")).json();
  study = await (await fetch("study")).json();
  document.body.dataset.mode = study.mode;
  speak(study.language);
  $("start").addEventListener("submit", begin);
  $("back").addEventListener("click", () => turn(at - 1));
  $("forward").addEventListener("click", () => turn(at + 1));
  $("language").addEventListener("click", () => speak(language === "zh" ? "en" : "zh"));
  document.addEventListener("keydown", press);
  $("name").focus();
}

open();
