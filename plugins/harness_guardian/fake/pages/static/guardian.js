// What the pages do more with a script than without: drop-downs that close by Escape, a confirmation panel
// that opens in place and gives the focus back, counts of what is selected, and statuses that change by
// themselves. Without it every form and link leads to the same pages.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The server shows local time in the zone of whoever looks.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`guardian-zone=${zone}`)) {
    document.cookie = `guardian-zone=${zone}; path=/; SameSite=Strict; max-age=31536000`;
  }

  const load = async (address) => {
    // The header says that a part is wanted: what was to be said is then left for the next whole page.
    const answer = await fetch(address, { credentials: "same-origin", headers: { "X-Guardian-Part": "yes" } });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  // ----- drop-downs
  const closeDrops = (except) => {
    for (const drop of all("details.drop[open]")) if (!except || !drop.contains(except)) drop.open = false;
  };
  document.addEventListener("click", (event) => closeDrops(event.target));

  // ----- the confirmation panel
  let opener = null;

  const openPanel = async (address, from) => {
    const page = await load(address).catch(() => null);
    const panel = page && $("#panel", page);
    if (!panel) {
      location.assign(address); // signed out, or nothing to confirm any more: the server says so
      return;
    }
    opener = from.id;
    $("#panel-place").replaceChildren(document.adoptNode(panel));
    $("#panel-heading").focus();
  };

  const closePanel = () => {
    const panel = $("#panel");
    if (!panel) return false;
    const back = document.getElementById(opener || panel.dataset.opener) || $("#main");
    panel.remove();
    opener = null;
    back.focus();
    return true;
  };

  document.addEventListener("click", (event) => {
    const from = event.target.closest("[data-panel]");
    if (from && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      const query = from.form && new URLSearchParams(new FormData(from.form, from));
      openPanel(from.form ? `${from.form.action}?${query}` : from.href, from);
    } else if (event.target.closest("#cancel")) {
      event.preventDefault();
      closePanel();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const drop = event.target.closest && event.target.closest("details.drop[open]");
    const open = drop || $("details.drop[open]");
    if (open) {
      open.open = false;
      $("summary", open).focus();
    } else {
      closePanel();
    }
  });
  if ($("#panel-heading")) $("#panel-heading").focus();

  // ----- selection
  const boxes = () => all("input[name=ids]");
  const count = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    const label = $("#selected-count");
    if (label) {
      label.hidden = false;
      label.textContent = `(${chosen})`;
      $("#export-selected-report").disabled = chosen === 0;
    }
    const page = $("#select-page");
    if (page) {
      page.hidden = false;
      page.checked = chosen > 0 && chosen === boxes().length;
      page.indeterminate = chosen > 0 && !page.checked;
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.id === "select-page") for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.id === "select-page" || event.target.name === "ids") count();
  });

  // ----- copies of ids
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const said = button.textContent;
    navigator.clipboard.writeText(button.dataset.copy).then(
      () => { button.textContent = "Copied"; },
      () => { button.textContent = "Not copied"; },
    ).finally(() => setTimeout(() => { button.textContent = said; }, 1500));
  });

  // ----- statuses that change by themselves: the server answers when something of what is shown changed
  const swap = (page) => {
    for (const id of ["results", "bulk"]) {
      const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
      if (!old || !fresh) continue;
      const chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      const region = $("#table-region", old);
      const scrolled = region ? region.scrollLeft : 0;
      old.replaceWith(document.adoptNode(fresh));
      if (id === "results") for (const box of boxes()) box.checked = chosen.has(box.value);
      if (region && $("#table-region")) $("#table-region").scrollLeft = scrolled;
      if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
    }
    dress();
  };

  const watch = async () => {
    for (;;) {
      const address = $("#results") && $("#results").dataset.watch;
      if (!address) return;
      const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
      if (!answer || !answer.ok || answer.redirected) return;
      if (answer.status === 204) continue;
      if ($("#results details[open]")) await new Promise((done) => {
        $("#results details[open]").addEventListener("toggle", done, { once: true });
      });
      const page = await load(location.pathname + location.search).catch(() => null);
      if (!page) return;
      swap(page);
    }
  };

  const dress = () => {
    for (const button of all("[data-copy]")) button.hidden = !navigator.clipboard;
    if ($("input[name=ids]")) count();
  };
  dress();
  watch();
})();
