// Draws the charts of a report when they come into view, in the colours of the style sheet and the language of the page. Reads nothing but this file.
"use strict";
(() => {
  const root = document.documentElement;
  const isTouch = matchMedia("(pointer: coarse)").matches;
  const figures = JSON.parse(document.getElementById("figures").textContent).map((figure) => ({
    ...figure,
    chosen: figure.controls.map((control) => control.first),
    section: document.getElementById(figure.id),
    isDrawn: false,
  }));

  const language = () => (root.lang === "en" ? "en" : "zh");

  function colour(name, alpha) {
    const hex = getComputedStyle(root).getPropertyValue(`--${name}`).trim();
    if (alpha >= 1) return hex;
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${r},${g},${b},${alpha})`;
  }

  /** Colours by name and texts in two languages become what plotly takes; all other values are copied. */
  function resolved(value) {
    if (Array.isArray(value)) return value.map(resolved);
    if (value === null || typeof value !== "object") return value;
    if ("c" in value && "a" in value) return colour(value.c, value.a);
    if ("en" in value && "zh" in value) return value[language()];
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, resolved(entry)]));
  }

  function merged(base, over) {
    if (over === undefined) return base;
    if (base === null || typeof base !== "object" || Array.isArray(base) || Array.isArray(over) || typeof over !== "object") return over;
    const both = { ...base };
    for (const [key, value] of Object.entries(over)) both[key] = key in base ? merged(base[key], value) : value;
    return both;
  }

  function layoutOf(figure, layout, width) {
    const grid = colour("line", 1);
    const axis = { gridcolor: grid, linecolor: grid, zerolinecolor: colour("soft", 0.6), fixedrange: isTouch };
    const base = {
      height: figure.height, autosize: true, margin: { l: 48, r: 14, t: 20, b: 12 }, dragmode: isTouch ? false : "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: width < 500 ? 11 : 13, color: colour("text", 1) },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", itemwidth: 30, traceorder: "normal" },
      hoverlabel: { bgcolor: colour("panel", 1), bordercolor: grid, font: { color: colour("text", 1) }, namelength: -1 },
    };
    for (const name of ["xaxis", "yaxis", "yaxis2", "yaxis3"]) if (layout[name]) base[name] = axis;
    return merged(base, layout);
  }

  function draw(figure) {
    const view = figure.views[figure.chosen.join(",")] ?? {};
    const place = figure.section.querySelector(".chart");
    const traces = figure.traces.map((trace, at) => resolved(merged(trace, view.traces?.[at])));
    const layout = layoutOf(figure, resolved(merged(figure.layout, view.layout)), place.clientWidth);
    const options = { responsive: true, displayModeBar: false };
    figure.isDrawn = true;
    if (view.say) figure.section.querySelector(".said").textContent = plain(resolved(view.say));
    place.setAttribute("aria-label", plain(resolved(figure.title)));
    return window.Plotly.react(place, traces, layout, options);
  }

  /** Texts of charts are written for a reader of HTML; here they are text. */
  function plain(text) {
    return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  }

  function addControl(figure, control, at) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    const input = document.createElement(control.slider ? "input" : "select");
    const output = document.createElement("output");
    figure.relabels.push(() => {
      name.textContent = plain(resolved(control.label));
      if (control.slider) output.textContent = plain(resolved(control.options[figure.chosen[at]]));
      else for (const [index, option] of control.options.entries()) input.options[index].textContent = plain(resolved(option));
    });
    if (control.slider) Object.assign(input, { type: "range", min: 0, max: control.options.length - 1, step: 1, value: control.first });
    else input.append(...control.options.map((_, index) => Object.assign(document.createElement("option"), { value: index })));
    input.addEventListener("input", () => {
      figure.chosen[at] = Number(input.value);
      relabel(figure);
      draw(figure);
    });
    label.append(name, input);
    if (control.slider) label.append(output);
    figure.section.querySelector(".controls").append(label);
  }

  function relabel(figure) {
    for (const change of figure.relabels) change();
  }

  function redraw() {
    for (const figure of figures) {
      relabel(figure);
      if (figure.isDrawn) draw(figure);
    }
  }

  function setLanguage(name) {
    root.lang = name;
    document.title = document.body.dataset[name === "en" ? "titleEn" : "titleZh"];
    redraw();
  }

  document.getElementById("language").addEventListener("click", () => setLanguage(root.lang === "en" ? "zh-CN" : "en"));
  document.getElementById("theme").addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // A link to a definition opens what it is folded in.
  addEventListener("hashchange", () => {
    const folded = location.hash.startsWith("#m-") ? document.getElementById("definitions") : null;
    if (folded && !folded.open) {
      folded.open = true;
      document.getElementById(location.hash.slice(1))?.scrollIntoView();
    }
  });

  for (const figure of figures) {
    figure.relabels = [];
    figure.controls.forEach((control, at) => {
      if (control.options.length > 1) addControl(figure, control, at);
    });
    figure.section.querySelector(".chart").style.minHeight = `${figure.height}px`;
    relabel(figure);
  }
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const figure = figures.find((candidate) => candidate.section === entry.target);
      if (entry.isIntersecting && !figure.isDrawn) draw(figure);
    }
  }, { rootMargin: "400px" });
  for (const figure of figures) seen.observe(figure.section);
  addEventListener("beforeprint", () => {
    for (const figure of figures) if (!figure.isDrawn) draw(figure);
  });
})();
