// What the browser does by itself: the theme, the drawer, pop-overs, relative times, and points that are added to a chart.
(() => {
  "use strict";
  const KEY = "brewslm-theme";
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem(KEY) || "system"; } catch { return "system"; } };
  const marked = () => document.querySelectorAll("[data-act=theme]").forEach((one) => {
    const on = one.dataset.theme === (root.dataset.theme || "system");
    if (one.getAttribute("aria-checked") !== String(on)) one.setAttribute("aria-checked", String(on));
    one.tabIndex = on ? 0 : -1;
  });
  const theme = (choice) => {
    root.dataset.theme = choice;
    try { localStorage.setItem(KEY, choice); } catch { /* a private window: it holds for this page */ }
    marked();
  };
  root.dataset.theme = kept(); // before the first paint

  const rail = (open) => {
    document.body.classList.toggle("rail-open", open);
    const menu = document.querySelector("[data-act=open-rail]");
    menu?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector(".rail a")?.focus(); else menu?.focus();
  };

  const copy = async (button) => {
    const said = button.textContent;
    try { await navigator.clipboard.writeText(button.dataset.text); button.textContent = "Copied"; } catch { button.textContent = "Select and copy"; }
    setTimeout(() => { button.textContent = said; }, 2000);
  };

  // Sends a chosen file to the API, and tells the page with a "kept" event what it answered: an upload or a problem document.
  const upload = (input) => {
    const [file] = input.files;
    if (!file || input.ariaBusy === "true") return;
    const bar = input.parentElement.querySelector("progress");
    const request = new XMLHttpRequest();
    const done = (detail) => {
      bar.hidden = true;
      input.ariaBusy = "false";
      input.dispatchEvent(new CustomEvent("kept", { detail }));
    };
    const lost = (detail) => done({ title: `${file.name} was not uploaded`, code: "upload_failed", detail, next_step: "Try again." });
    request.open("POST", input.dataset.upload);
    request.upload.onprogress = (event) => { bar.value = event.loaded / event.total; };
    request.onerror = () => lost("the server did not answer");
    request.onload = () => { try { done(JSON.parse(request.responseText)); } catch { lost(`the server answered ${request.status}`); } };
    const form = new FormData();
    form.append("file", file);
    bar.value = 0;
    bar.hidden = false;
    input.ariaBusy = "true";
    request.send(form);
  };

  // The palette: a native dialog; the server draws its list, and one line of it is active.
  const palette = () => document.querySelector("dialog.palette");
  const lines = () => [...palette().querySelectorAll("[role=option]")];
  const choose = (line) => {
    lines().forEach((one) => one.setAttribute("aria-selected", String(one === line)));
    palette().querySelector("input").setAttribute("aria-activedescendant", line?.id || "");
    line?.scrollIntoView({ block: "nearest" });
  };
  const openPalette = () => {
    const dialog = palette();
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const input = dialog.querySelector("input");
    input.value = "";
    input.dispatchEvent(new Event("input"));
    input.focus();
  };
  const inPalette = (event) => {
    const all = lines(), at = all.findIndex((one) => one.ariaSelected === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) { event.preventDefault(); choose(all[(at + step + all.length) % all.length]); }
    if (event.key === "Enter") { event.preventDefault(); all[at]?.click(); }
  };

  const acts = {
    "open-palette": openPalette,
    "close-palette": () => palette().close(),
    theme: (target) => theme(target.dataset.theme),
    "open-rail": () => rail(true),
    "close-rail": () => rail(false),
    copy,
  };

  document.addEventListener("click", (event) => {
    if (event.target.dataset?.upload) event.target.value = ""; // so that the same file, mended, can be chosen again
    const target = event.target.closest("[data-act]");
    if (target) acts[target.dataset.act]?.(target);
    if (event.target.matches?.("dialog.palette") || event.target.closest?.("[role=option]")) palette().close(); // beside it, or on a line
    document.querySelectorAll("details.popover[open]").forEach((one) => { if (!one.contains(event.target)) one.open = false; });
  });
  document.addEventListener("change", (event) => { if (event.target.dataset?.upload) upload(event.target); });
  document.addEventListener("formdata", (event) => { // a filter's address says what was chosen, and nothing else
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
    if (event.target.matches?.(".palette-input")) { inPalette(event); return; }
    if (event.key === "Escape") {
      document.querySelectorAll("details.popover[open]").forEach((one) => { one.open = false; one.querySelector("summary").focus(); });
      if (document.body.classList.contains("rail-open")) rail(false);
    }
    const radio = event.target.closest?.("[data-act=theme]");
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (radio && step) {
      const all = [...radio.parentElement.querySelectorAll("[data-act=theme]")];
      const next = all[(all.indexOf(radio) + step + all.length) % all.length];
      event.preventDefault();
      theme(next.dataset.theme);
      next.focus();
    }
  });

  const ago = (then) => {
    const seconds = (Date.now() - then) / 1000;
    if (seconds < 5) return "just now";
    const [size, unit] = seconds < 60 ? [1, "s"] : seconds < 3600 ? [60, "min"] : seconds < 86400 ? [3600, "h"] : [86400, "d"];
    return `${Math.floor(seconds / size)} ${unit} ago`;
  };
  setInterval(() => document.querySelectorAll("time[datetime]").forEach((one) => {
    const then = Date.parse(one.getAttribute("datetime"));
    if (!Number.isNaN(then)) one.textContent = ago(then);
  }), 10000);
  const drawn = () => {
    marked();
    if (palette()?.open && lines().length && !lines().some((one) => one.ariaSelected === "true")) choose(lines()[0]);
  };
  new MutationObserver(drawn).observe(root, { childList: true, subtree: true }); // the toggle is drawn after this file is read

  // Adds points to the series of a chart by their ids: the server sends what is new, never the whole series.
  const append = (id, points, tries = 100) => {
    const chart = window.getElement?.(id)?.chart;
    if (!chart) { if (tries) setTimeout(() => append(id, points, tries - 1), 50); return; } // it is not drawn yet, or gone
    const series = chart.getOption().series.filter((one) => points[one.id]?.length);
    chart.setOption({ series: series.map((one) => ({ id: one.id, data: one.data.concat(points[one.id]) })) });
  };
  // Runs that were asked for in this browser and whose end was not seen: the page asks for them, and tells their end once.
  const ASKED = "brewslm-asked";
  const asked = () => { try { return JSON.parse(localStorage.getItem(ASKED)) || []; } catch { return []; } };
  const keep = (ids) => { try { localStorage.setItem(ASKED, JSON.stringify(ids.slice(-20))); } catch { /* a private window: nothing is told */ } };
  const remember = (id) => keep([...asked().filter((one) => one !== id), id]);
  const forget = (ids) => keep(asked().filter((one) => !ids.includes(one)));

  setInterval(() => {
    const ids = document.hidden ? [] : asked();
    if (ids.length) document.querySelector(".notices")?.dispatchEvent(new CustomEvent("asked", { detail: ids }));
  }, 2000);

  window.brewslm = { append, remember, forget };
})();
