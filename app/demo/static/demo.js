// The page: a phone, the switch for its sound, and the board beside it.

import { Board } from "./board.js";
import { offerChat } from "./chat.js";
import { drawMarks } from "./marks.js";
import { Phone } from "./phone.js";
import { Sound } from "./sound.js";

document.querySelectorAll("[data-marks]").forEach(drawMarks);

const sound = new Sound();
const board = new Board();
const phone = new Phone(document.getElementById("phone"), sound, (surveyId) => board.own(surveyId));

const soundSwitch = document.getElementById("sound");
function showSound() {
  soundSwitch.querySelector("use").setAttribute("href", sound.on ? "#speaker" : "#silent");
  soundSwitch.querySelector("span").textContent = sound.on ? "Sound on" : "Sound off";
}
soundSwitch.addEventListener("click", () => {
  sound.on = !sound.on;
  phone.soundChanged();
  showSound();
});

const pause = document.getElementById("pause");
pause.addEventListener("click", () => {
  board.paused = !board.paused;
  pause.textContent = board.paused ? "Go on" : "Pause";
});

document.querySelectorAll("[data-chat]").forEach(offerChat);

showSound();
phone.connect();
board.connect();
