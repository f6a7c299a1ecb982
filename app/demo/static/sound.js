// Everything that can be heard: the ring, the keys, and a voice for the words. All of it obeys one switch.

const KEY_TONES = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477],
  4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477],
  "*": [941, 1209], 0: [941, 1336], "#": [941, 1477],
};
const RING_NOTES = [440, 554];
const RING_EVERY_MS = 3000;
const READING_MS_PER_LETTER = 42;

export class Sound {
  #on = true;
  #context = null;
  #ringing = null;
  #stopSpeaking = () => {};

  get on() {
    return this.#on;
  }

  set on(value) {
    this.#on = value;
    if (!value) {
      this.stopRinging();
      this.hush();
    }
  }

  ring() {
    this.stopRinging();
    const once = () => [0, 0.55].forEach((delay) => this.#play(RING_NOTES, { delay, length: 0.38, loudness: 0.035 }));
    once();
    this.#ringing = setInterval(once, RING_EVERY_MS);
  }

  stopRinging() {
    clearInterval(this.#ringing);
    this.#ringing = null;
  }

  key(key) {
    this.#play(KEY_TONES[key], { delay: 0, length: 0.14, loudness: 0.03 });
  }

  hush() {
    this.#stopSpeaking();
  }

  // Resolves when the words have been said, or read by somebody who cannot hear them.
  async say({ text, language, audio_url }) {
    this.hush();
    if (this.#on && audio_url && (await this.#playFile(audio_url))) return;
    const voice = this.#on ? await voiceFor(language) : null;
    await (voice ? this.#speak(text, voice) : this.#read(text));
  }

  #play(notes, { delay, length, loudness }) {
    // Browsers keep a page silent until somebody has touched it, and so do we.
    if (!this.#on || !navigator.userActivation?.hasBeenActive) return;
    this.#context ??= new AudioContext();
    this.#context.resume();
    const start = this.#context.currentTime + delay;
    const gain = this.#context.createGain();
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(loudness, start + 0.02);
    gain.gain.setValueAtTime(loudness, start + length - 0.05);
    gain.gain.linearRampToValueAtTime(0, start + length);
    gain.connect(this.#context.destination);
    for (const frequency of notes) {
      const note = new OscillatorNode(this.#context, { frequency });
      note.connect(gain);
      note.start(start);
      note.stop(start + length);
    }
  }

  #playFile(url) {
    const player = new Audio(url);
    return new Promise((resolve) => {
      this.#stopSpeaking = () => {
        player.pause();
        resolve(true);
      };
      player.onended = () => resolve(true);
      player.onerror = () => resolve(false);
      player.play().catch(() => resolve(false));
    });
  }

  #speak(text, voice) {
    const utterance = Object.assign(new SpeechSynthesisUtterance(text), { voice, lang: voice.lang });
    return new Promise((resolve) => {
      this.#stopSpeaking = () => {
        speechSynthesis.cancel();
        resolve();
      };
      utterance.onend = utterance.onerror = () => resolve();
      speechSynthesis.speak(utterance);
    });
  }

  #read(text) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 700 + text.length * READING_MS_PER_LETTER);
      this.#stopSpeaking = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

export async function voiceFor(language) {
  if (!("speechSynthesis" in window)) return null;
  const base = (tag) => tag.replace("_", "-").toLowerCase().split("-")[0].replace(/^no$/, "nb");
  const matching = (await voices()).filter((voice) => base(voice.lang) === base(language));
  const exact = matching.filter((voice) => voice.lang.replace("_", "-").toLowerCase() === language.toLowerCase());
  return exact.find((voice) => voice.localService) ?? exact[0] ?? matching[0] ?? null;
}

// Chromium fills its list of voices some time after the page has asked for it.
let asked = null;
function voices() {
  asked ??= new Promise((resolve) => {
    if (speechSynthesis.getVoices().length) return resolve();
    speechSynthesis.addEventListener("voiceschanged", () => resolve(), { once: true });
    setTimeout(resolve, 500);
  });
  return asked.then(() => speechSynthesis.getVoices());
}
