// Signed out: sign in again in place, and go on where one was (templates/ui/status.html).

const { body } = document;
const door = document.getElementById("signed-out");
const form = door.querySelector("form");
const refusal = door.querySelector(".err");
const wrong = refusal.lastChild.data;

export function ask() {
  if (!door.open) door.showModal();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const headers = { "HX-Request": "true" };
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers });
  refusal.lastChild.data = answer.status === 429 ? (await answer.json()).error : wrong;
  refusal.hidden = answer.ok;
  if (!answer.ok) return;
  const { user, token } = await answer.json();
  if (user !== body.dataset.user) return location.reload();
  for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = token;
  body.setAttribute("hx-headers:inherited", JSON.stringify({ "x-csrftoken": token }));
  form.reset();
  door.close();
  htmx.trigger(body, "resync");
});
