// Made by `datahub docs`: the search. Its index is a script, loaded when the reader turns to the search, so that the first page stays small.
"use strict";
(() => {
  const box = document.querySelector(".search");
  const input = document.getElementById("search");
  const status = document.getElementById("search-status");
  const list = document.getElementById("search-results");
  const MOST = 40;
  let names = null;
  let index = null;
  let isLoading = false;

  const load = () => {
    if (index || isLoading) return;
    isLoading = true;
    const script = document.createElement("script");
    script.src = box.dataset.root + "assets/index.js";
    script.onerror = () => {
      isLoading = false;
      status.textContent = "The index of the search cannot be loaded.";
    };
    document.head.append(script);
  };

  window.datahubIndex = (loaded) => {
    index = loaded;
    names = loaded.entries.map((entry) => entry[1].toLowerCase());
    search();
  };

  // How well a name fits: the whole name, its beginning, the beginning of a part, or anything; 0 if not at all.
  const fit = (name, wanted) => {
    const at = name.indexOf(wanted);
    if (at < 0) return 0;
    if (name.length === wanted.length) return 4;
    if (at === 0) return 3;
    return /[a-z0-9]/.test(name[at - 1]) ? 1 : 2;
  };

  const item = ([kind, name, of, page, anchor]) => {
    const link = document.createElement("a");
    link.href = box.dataset.root + index.pages[page] + (anchor ? "#" + anchor : "");
    const what = document.createElement("span");
    what.className = "what";
    what.textContent = index.kinds[kind];
    const title = document.createElement("strong");
    title.textContent = name;
    const note = document.createElement("span");
    note.className = "of";
    note.textContent = of;
    link.append(what, " ", title, " ", note);
    const line = document.createElement("li");
    line.append(link);
    return line;
  };

  const search = () => {
    const wanted = input.value.trim().toLowerCase();
    list.replaceChildren();
    status.textContent = "";
    if (!wanted) return;
    if (!index) {
      load();
      status.textContent = "Loading the index…";
      return;
    }
    const found = [];
    names.forEach((name, at) => {
      const score = fit(name, wanted);
      if (score) found.push({ score, kind: index.entries[at][0], length: name.length, at });
    });
    found.sort((one, other) => other.score - one.score || one.kind - other.kind || one.length - other.length || one.at - other.at);
    list.append(...found.slice(0, MOST).map(({ at }) => item(index.entries[at])));
    if (found.length === 0) status.textContent = "Nothing found.";
    else if (found.length === 1) status.textContent = "1 result";
    else status.textContent = `${found.length} results` + (found.length > MOST ? `; the ${MOST} that fit best are shown` : "");
  };

  const close = () => {
    input.value = "";
    search();
  };

  box.hidden = false;
  input.addEventListener("focus", load);
  input.addEventListener("input", search);
  list.addEventListener("click", (event) => {
    // A result on the same page only moves the view.
    if (event.target.closest("a")) setTimeout(close);
  });
  box.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      close();
      input.focus();
    } else if (event.key === "ArrowDown" && links.length > 0) {
      links[Math.min(at + 1, links.length - 1)].focus();
      event.preventDefault();
    } else if (event.key === "ArrowUp" && at >= 0) {
      (at === 0 ? input : links[at - 1]).focus();
      event.preventDefault();
    } else if (event.key === "Enter" && document.activeElement === input && links.length > 0) {
      links[0].click();
    }
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
    }
  });
})();
