// The scale from 0 to 10 as eleven marks, the chosen one in its band's colour.

export const BANDS = { detractor: "Detractor", passive: "Passive", promoter: "Promoter" };

export function drawMarks(element) {
  element.replaceChildren(...Array.from({ length: 11 }, () => document.createElement("i")));
  return element;
}

export function choose(element, score) {
  [...element.children].forEach((mark, value) => mark.classList.toggle("chosen", value === score));
  if (element.getAttribute("role") === "img") {
    element.setAttribute("aria-label", score === null ? "No score yet" : `Score ${score} of 10`);
  }
}

export function newMarks() {
  const element = document.createElement("span");
  element.className = "marks";
  element.setAttribute("role", "img");
  return drawMarks(element);
}
