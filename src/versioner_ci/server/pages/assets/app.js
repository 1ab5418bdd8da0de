// Pages work without this. With it: times read "3 min ago", the list filters as you type, and what is shown stays new.
"use strict";
(() => {
  const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [Infinity, 86400, "d"]];
  const EVERY = 2000;
  const live = document.getElementById("live");
  const lamp = document.getElementById("live-state");
  const say = document.getElementById("say");

  function ago(seconds) {
    if (seconds < 5) return "just now";
    const [, unit, word] = STEPS.find(([limit]) => seconds < limit);
    return `${Math.floor(seconds / unit)} ${word} ago`;
  }

  let shift = 0; // the server's clock against this one, in ms

  function tellTimes(root) {
    for (const element of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(element.dateTime);
      const seconds = (Date.now() + shift - moment) / 1000;
      const text = seconds < 7 * 86400 ? ago(seconds) : moment.toLocaleDateString(undefined, { dateStyle: "medium" });
      if (element.textContent !== text) element.textContent = text;
      if (!element.dataset.utc) {
        element.dataset.utc = element.title;
        element.title = `${moment.toLocaleString()} (${element.title})`;
      }
    }
  }

  function applyFilter(root) {
    const field = document.querySelector("input[data-filter]");
    if (!field) return;
    const wanted = field.value.trim().toLowerCase();
    for (const row of root.querySelectorAll(field.dataset.filter)) {
      row.hidden = wanted !== "" && !row.dataset.product.toLowerCase().includes(wanted);
    }
  }

  function told(root) {
    return new Map(Array.from(root.querySelectorAll("[data-key]"), (element) => [element.dataset.key, element.dataset.say]));
  }

  function replace(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    const before = told(live);
    const focused = document.activeElement && live.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolled = Array.from(live.querySelectorAll(".scroll, pre"), (element) => [element.scrollLeft, element.scrollTop]);
    live.replaceChildren(...fresh.childNodes);
    live.querySelectorAll(".scroll, pre").forEach((element, index) => {
      if (scrolled[index]) [element.scrollLeft, element.scrollTop] = scrolled[index];
    });
    tellTimes(live);
    applyFilter(live);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    const news = [];
    for (const [key, text] of told(live)) {
      if (before.get(key) === text) continue;
      news.push(text);
      live.querySelector(`[data-key="${CSS.escape(key)}"]`).classList.add("changed");
    }
    if (news.length) say.textContent = news.slice(0, 3).join(". ") + (news.length > 3 ? `. And ${news.length - 3} more.` : ".");
  }

  function show(isLive) {
    lamp.hidden = false;
    lamp.classList.toggle("off", !isLive);
    lamp.querySelector(".word").textContent = isLive ? "Live" : "Connection lost, trying again";
  }

  let timer = 0;
  let isAsking = false;
  async function refresh() {
    clearTimeout(timer);
    if (isAsking || document.hidden) return;
    isAsking = true;
    try {
      const answer = await fetch(location.href, {
        headers: { "X-Fragment": "1", "X-Tag": live.dataset.live }, cache: "no-store", redirect: "error",
        signal: AbortSignal.timeout(15000),
      });
      if (answer.status === 401) { location.reload(); return; }
      if (answer.status !== 204 && !answer.ok) throw new Error(String(answer.status));
      const now = Date.parse(answer.headers.get("Date"));
      if (now && Math.abs(now - Date.now()) > 5000) shift = now - Date.now();
      if (answer.status === 200) {
        const html = await answer.text();
        if (!live.contains(document.activeElement) || !getSelection()?.toString()) {
          replace(html);
          live.dataset.live = answer.headers.get("X-Tag") || "";
        }
      }
      show(true);
    } catch {
      show(false);
    } finally {
      isAsking = false;
      clearTimeout(timer);
      timer = setTimeout(refresh, EVERY);
    }
  }

  tellTimes(document);
  setInterval(() => tellTimes(document), 1000);
  document.querySelector("input[data-filter]")?.addEventListener("input", () => applyFilter(live));
  if (live) {
    timer = setTimeout(refresh, EVERY);
    document.addEventListener("visibilitychange", refresh);
  }
})();
