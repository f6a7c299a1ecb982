// The chat: the product's own widget, in the corner of this page as on any site.

export function offerChat(button) {
  button.addEventListener("click", async () => {
    const form = button.closest("form");
    const { queue, language } = Object.fromEntries(new FormData(form));
    button.disabled = true;
    try {
      const answer = await fetch("/demo/chat", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ queue, language }),
      });
      if (!answer.ok) throw new Error(answer.statusText);
      show((await answer.json()).token, language);
    } catch {
      form.querySelector(".reply").textContent = "The chat could not be opened. Please try again.";
    }
    button.disabled = false;
  });
}

function show(token, language) {
  document.querySelectorAll("zeroten-survey, script[data-token]").forEach((each) => each.remove());
  const script = document.createElement("script");
  script.src = "/widget.js";
  Object.assign(script.dataset, { token, language });
  document.body.append(script);
}
