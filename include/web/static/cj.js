// What the pages do beyond links and forms: swap a list in place, draw pictures, move Airflow itself, and ask Airflow to keep what a person says.
(() => {
  "use strict";
  const inAirflow = (() => {
    try {
      return window.parent !== window && window.parent.document ? window.parent : null;
    } catch {
      return null;
    }
  })();

  // --- lists are swapped in place; filters stay where they are, and so does the focus in them -------------------------------------------
  const armed = (within) => {
    for (const element of within.querySelectorAll("[data-swap]:not([data-armed])")) {
      const link = element.tagName === "A";
      element.dataset.armed = "";
      element.setAttribute("hx-get", element.getAttribute(link ? "href" : "action"));
      element.setAttribute("hx-target", element.dataset.swap);
      element.setAttribute("hx-select", element.dataset.swap);
      element.setAttribute("hx-swap", "outerHTML");
      element.setAttribute("hx-push-url", "true");
      if (!link) element.setAttribute("hx-trigger", "submit, change, search, input changed delay:400ms from:find input[type=search]");
      window.htmx.process(element);
    }
  };
  // What is not given is not in the address.
  document.addEventListener("htmx:configRequest", (event) => {
    const given = event.detail.parameters;
    for (const name of Object.keys(given)) if (given[name] === "") delete given[name];
  });
  // Airflow mirrors the frame's address only when a whole page is loaded.
  document.addEventListener("htmx:pushedIntoHistory", () => {
    if (!inAirflow) return;
    const base = inAirflow.location.pathname.match(/^(.*?\/plugin\/[^/]+)/);
    if (base) inAirflow.history.replaceState(inAirflow.history.state, "", `${base[1]}${window.location.pathname}${window.location.search}`);
  });
  document.addEventListener("htmx:afterSwap", (event) => armed(document) || event);
  document.addEventListener("htmx:beforeSwap", (event) => {
    // A page that says why there is no list is shown as it is.
    if (event.detail.xhr.status >= 400) window.location.assign(event.detail.pathInfo.finalRequestPath);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (link && inAirflow && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      const outside = inAirflow.document.createElement("a");
      outside.href = link.href;
      inAirflow.document.body.append(outside);
      outside.click();
      outside.remove();
    }
    const sets = event.target.closest("a[data-sets]");
    const form = document.querySelector("form.filters");
    if (sets && form && window.htmx && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      for (const [name, value] of Object.entries(JSON.parse(sets.dataset.sets))) if (form.elements[name]) form.elements[name].value = value;
      window.htmx.trigger(form, "submit");
    }
  });

  // --- what a person says: Airflow is asked, as whoever is logged in, to run the DAG that keeps it -----------------------------------------
  const said = (response, dag) => {
    if (response.status === 401) return "You are not logged in any more. Log in to Airflow, then try again.";
    if (response.status === 403) return `You may not trigger ${dag}. Ask whoever manages Airflow's users.`;
    if (response.status === 404) return `Airflow does not know the DAG ${dag}.`;
    return `Airflow did not take it (${response.status}).`;
  };
  const ask = async (form, where, conf, failed) => {
    const told = form.querySelector(".said");
    const button = form.querySelector("button");
    const dag = where.match(/dags\/([^/]+)\//)[1];
    button.disabled = true;
    told.textContent = "Asking Airflow…";
    try {
      const response = await fetch(where, {
        method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ logical_date: null, conf }),
      });
      if (!response.ok) {
        told.textContent = said(response, dag);
        button.disabled = false;
        return;
      }
      const run = await response.json();
      told.textContent = "Airflow has it. It is noted once the run has finished…";
      form.dataset.run = run.dag_run_id;
      for (let tries = 0; tries < 150; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 2000));
        const now = await fetch(`${where}/${encodeURIComponent(run.dag_run_id)}`, { credentials: "same-origin" });
        const state = now.ok ? (await now.json()).state : "";
        if (state === "success") {
          window.location.reload();
          return;
        }
        if (state === "failed") {
          told.textContent = failed;
          button.disabled = false;
          return;
        }
        if (tries === 15) told.textContent = `It still waits in Airflow. Is the DAG ${dag} paused?`;
      }
    } catch {
      told.textContent = "Airflow could not be reached. Nothing was noted.";
      button.disabled = false;
    }
  };
  document.addEventListener("submit", (event) => {
    const note = event.target.closest("form[data-acknowledge]");
    const trigger = event.target.closest("form[data-trigger]");
    if (!note && !trigger) return;
    event.preventDefault();
    if (note) {
      const about = note.closest("[data-break], [data-conf]").dataset;
      const conf = { ...(about.conf ? JSON.parse(about.conf) : { break: about.break }), note: note.elements.note.value };
      ask(note, note.dataset.acknowledge, conf, "The run failed: perhaps what you looked at has changed meanwhile. Its log in Airflow says why; look again.");
      return;
    }
    const conf = Object.fromEntries([...new FormData(trigger)].filter(([, value]) => value !== ""));
    if (conf.at) conf.at = `${conf.at}:00+00:00`;
    ask(trigger, trigger.dataset.trigger, conf, "The run failed: perhaps the case is another by now. Its log in Airflow says why; look at the case again.");
  });

  // --- pictures -------------------------------------------------------------------------------------------------------------------------
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const colours = { missing: "failed", mismatched: "warning", late: "running", awaiting: "waiting" };
  const data = (name) => {
    const element = document.getElementById(`${name}-data`);
    return element ? JSON.parse(element.textContent) : null;
  };
  const plain = (number) => Number(number).toLocaleString("en-US", { maximumFractionDigits: 2 });
  const short = (number) => Number(number).toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 });
  const base = () => ({
    animation: false,
    aria: { enabled: false },
    textStyle: { fontFamily: "Inter, system-ui, sans-serif", color: token("fg-muted") },
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true, backgroundColor: token("bg"), borderColor: token("border-strong"),
      textStyle: { color: token("fg"), fontSize: 12 }, axisPointer: { type: "shadow", shadowStyle: { color: token("border"), opacity: 0.4 } },
    },
    grid: { left: 8, right: 8, top: 28, bottom: 4, containLabel: true },
  });
  const axis = (more) => ({
    axisLine: { lineStyle: { color: token("border-strong") } }, axisTick: { show: false }, axisLabel: { color: token("fg-muted"), fontSize: 11 },
    splitLine: { lineStyle: { color: token("border") } }, nameTextStyle: { color: token("fg-muted"), fontSize: 11 }, ...more,
  });
  let shows = "orders";
  const draws = {
    nights({ nights: found }) {
      const statuses = Object.keys(colours);
      const options = base();
      return {
        ...options,
        // On a telephone the legend takes two lines.
        grid: { ...options.grid, top: window.innerWidth < 480 ? 46 : options.grid.top },
        legend: { top: 0, left: 0, itemGap: 8, itemWidth: 10, itemHeight: 10, textStyle: { color: token("fg"), fontSize: 11 }, data: [...statuses, "match rate"] },
        xAxis: axis({ type: "category", data: found.map((night) => new Date(night.day).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" })), splitLine: { show: false } }),
        yAxis: [
          axis({ type: "value", minInterval: shows === "orders" ? 1 : 0, axisLabel: { color: token("fg-muted"), fontSize: 11, formatter: short } }),
          axis({ type: "value", min: 0, max: 100, interval: 50, splitLine: { show: false }, axisLabel: { color: token("fg-muted"), fontSize: 11, formatter: "{value} %" } }),
        ],
        series: [
          ...statuses.map((status) => ({
            name: status, type: "bar", stack: "all", barMaxWidth: 26, itemStyle: { color: token(colours[status]) },
            data: found.map((night) => Number((shows === "orders" ? night.orders[status] : night.money[status]) || 0)),
            tooltip: { valueFormatter: (value) => (shows === "orders" ? plain(value) : `${plain(value)} ${found.find((n) => n.currency)?.currency ?? ""}`) },
          })),
          {
            name: "match rate", type: "line", yAxisIndex: 1, connectNulls: false, symbolSize: 5, lineStyle: { color: token("success"), width: 2 },
            itemStyle: { color: token("success") }, data: found.map((night) => (night.rate === null ? null : Number(night.rate))), tooltip: { valueFormatter: (value) => (value == null ? "–" : `${value} %`) },
          },
        ],
      };
    },
    locks({ locks, currency }) {
      return {
        ...base(), grid: { left: 8, right: 8, top: 12, bottom: 4, containLabel: true },
        xAxis: axis({ type: "category", data: locks.map((lock) => lock.days), splitLine: { show: false } }),
        yAxis: axis({ type: "value", axisLabel: { color: token("fg-muted"), fontSize: 11, formatter: short } }),
        series: [{
          name: `at risk, ${currency}`, type: "bar", barMaxWidth: 44, tooltip: { valueFormatter: plain },
          data: locks.map((lock) => ({ value: Number(lock.amount), itemStyle: { color: token(lock.days === "locked" ? "failed" : lock.days === "0-2" ? "warning" : "waiting") } })),
        }],
      };
    },
    lag({ bins, hour }) {
      return {
        ...base(), grid: { left: 8, right: 16, top: 18, bottom: 4, containLabel: true },
        xAxis: axis({ type: "category", data: bins.map(([from]) => from), splitLine: { show: false } }),
        yAxis: axis({ type: "value", minInterval: 1 }),
        series: [{
          name: "orders", type: "bar", data: bins.map(([, orders]) => orders), itemStyle: { color: token("brand") }, barCategoryGap: "15%",
          markLine: hour < 0 ? undefined : { symbol: "none", silent: true, animation: false, lineStyle: { color: token("fg"), type: "dashed" }, label: { formatter: "CJ's hour", align: "left", color: token("fg"), fontSize: 11 }, data: [{ xAxis: hour }] },
        }],
      };
    },
  };
  const drawn = new Map();
  const draw = () => {
    if (!window.echarts) return;
    for (const element of document.querySelectorAll("[data-chart]")) {
      const found = data(element.dataset.chart);
      if (!found) continue;
      if (!drawn.has(element)) drawn.set(element, window.echarts.init(element, null, { renderer: "svg" }));
      drawn.get(element).setOption(draws[element.dataset.chart](found), true);
    }
  };
  const toBreaks = () => {
    const nights = drawn.get(document.querySelector('[data-chart="nights"]'));
    nights?.on("click", (clicked) => {
      const night = data("nights").nights[clicked.dataIndex];
      const root = document.body.dataset.root;
      const status = ["missing", "mismatched"].includes(clicked.seriesName) ? `&status=${clicked.seriesName}` : "";
      window.location.assign(`${root}breaks?from=${night.day}&to=${night.day}${status}`);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (window.htmx) armed(document);
    draw();
    toBreaks();
    for (const form of document.querySelectorAll("form[data-acknowledge], form[data-trigger]")) form.hidden = false;
    for (const words of document.querySelectorAll("[data-without-scripts]")) words.hidden = true;
    const buttons = document.querySelector(".switch");
    if (buttons && window.echarts) {
      buttons.hidden = false;
      buttons.addEventListener("click", (event) => {
        if (!event.target.dataset.shows) return;
        shows = event.target.dataset.shows;
        for (const button of buttons.children) button.setAttribute("aria-pressed", String(button.dataset.shows === shows));
        draw();
      });
    }
    new ResizeObserver(() => drawn.forEach((chart) => chart.resize())).observe(document.body);
  });
  document.addEventListener("cj:theme", draw);
})();
