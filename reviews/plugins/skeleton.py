"""The first version of a plugin of one's own: it works, and says where to go on."""

import json
from pathlib import Path

from .manifest import MANIFEST, NAME, RENDER, Plugin, read_plugin

ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#3350d4" \
stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"><rect x="4" y="4" width="16" \
height="16" rx="3"/><path d="M8 12h8"/></svg>
"""
# Read from top to bottom: it is what somebody starts from.
PAGE = """<style>
  /* Colours of the pages around: --ink, --ink-2, --line, --ok, --warn, --bad, --accent. */
  #thanks { margin: 12px 0 0; color: var(--ink-2); }
</style>
<main>
  <h1 id="title"></h1>
  <p id="text"></p>
  <button id="fine" type="button">Looks good</button>
  <p id="thanks" role="status"></p>
</main>
<script>
  // What the agent sent. Show it as text: it is somebody else's words.
  const { title = "No title", text = "" } = Placet.data;
  document.getElementById("title").textContent = title;
  document.getElementById("text").textContent = text;

  // An answer is proposed here, and sent by the person with the button outside of this frame.
  const button = document.getElementById("fine"), thanks = document.getElementById("thanks");
  button.hidden = Placet.review?.status !== "pending";
  button.addEventListener("click", () =>
    Placet.respond({ verdict: "good" }).then(
      () => (thanks.textContent = "Proposed. Send it with the button below."),
      (problem) => (thanks.textContent = problem.message),
    ),
  );
</script>
"""


class SkeletonError(Exception):
    """No plugin was written. The text is for whoever asked for it."""


def write_skeleton(folder: Path, name: str) -> Plugin:
    """Write a new directory into a folder, and read it back as the server will.

    Raises: SkeletonError.
    """
    if not NAME.fullmatch(name):
        raise SkeletonError(f"{name!r} is no name: take letters, digits, - and _, up to 64")
    place = folder / name
    try:
        place.mkdir(parents=True)
        (place / MANIFEST).write_text(_manifest(name))
        (place / RENDER).write_text(PAGE)
        (place / "icon.svg").write_text(ICON)
    except FileExistsError:
        raise SkeletonError(f"{place} exists already") from None
    except OSError as error:
        raise SkeletonError(f"{place} cannot be written: {error.strerror}") from None
    return read_plugin(place)


def _manifest(name: str) -> str:
    words = " ".join(part for part in name.replace("_", "-").split("-") if part)
    manifest = {
        "name": name,
        "displayName": words[:1].upper() + words[1:],
        "version": "0.1.0",
        "description": "Shows a title and a text, and proposes an answer.",
        "icon": "./icon.svg",
        "inputSchema": {
            "type": "object",
            "properties": {
                "title": {"type": "string", "description": "What stands on top"},
                "text": {"type": "string", "description": "What stands below it"},
            },
            "required": ["title"],
            "examples": [{"title": "A first card", "text": "Change render.html and look again."}],
        },
        "permissions": {"httpRequests": False},
        "env": [],
    }
    return json.dumps(manifest, indent=2) + "\n"
