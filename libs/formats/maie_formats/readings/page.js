// Plays the word that somebody chooses, says what is known of it, and marks the word that is spoken.
const text = document.querySelector(".read");
const words = [...text.querySelectorAll("[role=button]")];
const spoken = words.filter((word) => word.dataset.start);
const starts = spoken.map((word) => Number(word.dataset.start));
const ends = spoken.map((word) => Number(word.dataset.end));
const audio = document.querySelector("audio");
const goOn = document.querySelector("#go-on");
const details = document.querySelector(".details");
// Speech begins softly, and the clock of a player is coarse.
const EDGE_SECONDS = 0.05;
let chosen = words[0];
let marked;
let stop = Number.POSITIVE_INFINITY;

function choose(word) {
  if (chosen) chosen.tabIndex = -1;
  chosen = word;
  chosen.tabIndex = 0;
}

function play(word) {
  details.textContent = word.title;
  if (!audio || !word.dataset.start) return;
  stop = goOn.checked ? Number.POSITIVE_INFINITY : Number(word.dataset.end) + EDGE_SECONDS;
  audio.currentTime = Math.max(0, Number(word.dataset.start) - EDGE_SECONDS);
  audio.play();
}

text.addEventListener("click", (event) => {
  const word = event.target.closest("[role=button]");
  if (!word) return;
  choose(word);
  play(word);
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    play(chosen);
    return;
  }
  const place = words.indexOf(chosen);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: words.length - 1 };
  const word = words[next[event.key]];
  if (!word) return;
  event.preventDefault();
  choose(word);
  word.focus();
});

document.querySelector("table.differing")?.addEventListener("click", (event) => {
  const number = event.target.closest("button")?.dataset.word;
  if (!number) return;
  const word = document.getElementById(number);
  choose(word);
  word.scrollIntoView({ block: "center" });
  word.focus();
  play(word);
});

function mark() {
  const now = audio.currentTime;
  const word = audio.paused ? undefined : spoken[starts.findIndex((start, at) => start <= now && now < ends[at])];
  if (word !== marked) {
    marked?.classList.remove("now");
    word?.classList.add("now");
    marked = word;
  }
  if (now >= stop) {
    audio.pause();
    stop = Number.POSITIVE_INFINITY;
  }
  if (!audio.paused) requestAnimationFrame(mark);
}

if (audio) {
  audio.addEventListener("play", mark);
  audio.addEventListener("pause", mark);
  // Who uses the player itself hears all that follows.
  audio.addEventListener("pointerdown", () => {
    stop = Number.POSITIVE_INFINITY;
  });
}
if (chosen) chosen.tabIndex = 0;
